import type { TopicId } from "../../../shared/metadata/records/record.ts";
import type { Obstacle } from "../../log/obstacle.ts";
import type { Withdraw } from "../../partition/partition-contract.ts";
import { leaderReadinessWaitMs, requestWaitsMsMax, topicLookMsMax, topicLookPauseMs } from "../limits.ts";
import type { RequestContext } from "./handler.ts";

/** What a request may wait for before it begins: that this broker leads, or has heard of, what the client names. */
export class RequestWaits {
  readonly #context: RequestContext;
  readonly #untilMs: number;
  /** One disk is in the way of all partitions. */
  readonly #awaited = new Set<Obstacle>();
  #looked = false;

  /** The request begins now. */
  constructor(context: RequestContext) {
    this.#context = context;
    this.#untilMs = context.services.clock.monotonicMs() + requestWaitsMsMax;
  }

  /**
   * Resolves when what keeps this broker from leading the partition is over; undefined when there is nothing to wait for,
   * or this request waits for it already.
   * Metadata names the leader of a new partition before that broker has opened its log.
   */
  obstacle(topicId: TopicId, index: number): Promise<void> | undefined {
    const { partitions, clock } = this.#context.services;
    const obstacle = partitions.obstacle(topicId, index);
    if (obstacle === undefined || this.#awaited.has(obstacle)) return undefined;
    // Counted from its beginning: all who wait give up together, and none after them is taken before it is over.
    const leftMs = Math.min(obstacle.sinceMs + leaderReadinessWaitMs, this.#untilMs) - clock.monotonicMs();
    if (leftMs <= 0 || this.#context.session.gaveUpOn?.has(obstacle) === true) {
      this.#giveUpOn(obstacle);
      return undefined;
    }
    this.#awaited.add(obstacle);
    const late = () => this.#giveUpOn(obstacle);
    return this.#atMost(leftMs, (settled) => obstacle.whenSettled(settled), late);
  }

  /** What its client sent after this request is not to wait for it either, although it has more time left. */
  #giveUpOn(obstacle: Obstacle): void {
    const { session } = this.#context;
    session.gaveUpOn ??= new WeakSet();
    session.gaveUpOn.add(obstacle);
  }

  /**
   * Whoever told the client of a topic may have read the log further than this broker has: one look at it for each
   * request, and none while the last one for this client was in vain a moment ago. Asked again, it was in vain.
   */
  topic(): Promise<void> | undefined {
    const { services, session } = this.#context;
    const nowMs = services.clock.monotonicMs();
    if (this.#looked) {
      session.lookedInVainMs = nowMs;
      return undefined;
    }
    if (nowMs - session.lookedInVainMs < topicLookPauseMs) return undefined;
    this.#looked = true;
    return this.#atMost(topicLookMsMax, (settled) => {
      void services.logLook.look().then(settled);
      return () => undefined;
    });
  }

  #atMost(ms: number, wait: (settled: () => void) => Withdraw, late: () => void = () => undefined): Promise<void> {
    return new Promise((resolve) => {
      const withdraw = wait(() => {
        cancel();
        resolve();
      });
      const cancel = this.#context.services.timers.after(ms, () => {
        withdraw();
        late();
        resolve();
      });
    });
  }
}
