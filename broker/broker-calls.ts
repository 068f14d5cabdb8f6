import type { MetadataCommand } from "../shared/metadata/commands/metadata-command.ts";
import type { BrokerId, MetadataSeq } from "../shared/metadata/records/record.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { Timers } from "../shared/ports/timers.ts";
import type { CommandGateway } from "./controller/command-gateway.ts";
import type { Controller, HandOverOrder } from "./controller/controller.ts";
import type { PartitionKey } from "./controller/election-core.ts";
import type { SealOrder, SealReply } from "./controller/election-round.ts";
import { handOverMsMax } from "./controller/limits.ts";
import type { MetadataAccess } from "./controller/metadata-access.ts";
import { handOverPollMs, releaseCommitMsMax, releaseMsMax, releaseRetryMs } from "./limits.ts";
import type { LeaderRole } from "./partition/leader-role.ts";
import type { Replica } from "./partition/replica.ts";
import type { ReplicaReport } from "./partition/replica-context.ts";
import type { ReplicaManager } from "./partition/replica-manager.ts";
import type { PeerLinks } from "./peer/peer-links.ts";
import { isQuorum } from "./replication/quorum.ts";

interface BrokerCallsPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly links: PeerLinks;
  readonly replicas: ReplicaManager;
  readonly controller: Controller;
  readonly commands: CommandGateway;
  readonly metadata: MetadataAccess;
}

interface SealBody {
  readonly seq: MetadataSeq;
  readonly timeoutMs: number;
  readonly orders: readonly SealOrder[];
}

/**
 * What brokers ask of one another besides the data path, both sides of it: seal, report, hand over, release, command.
 * A call to this broker itself takes the same way without the wire.
 */
export class BrokerCalls {
  readonly #ports: BrokerCallsPorts;
  /** Until when this broker tries to hand its leaderships over; undefined before it is to stop. */
  #releaseDeadlineMs: number | undefined;

  constructor(ports: BrokerCallsPorts) {
    this.#ports = ports;
  }

  async answer(_from: BrokerId, method: string, body: unknown): Promise<unknown> {
    const { controller, commands } = this.#ports;
    switch (method) {
      case "seal":
        return this.#sealHere(body as SealBody);
      case "report":
        controller.onReports(body as readonly ReplicaReport[]);
        return true;
      case "hand-over":
        return this.#handOverHere(body as readonly HandOverOrder[]);
      case "release":
        if (!controller.inOffice) return false;
        await controller.release(body as BrokerId);
        return true;
      case "command":
        return commands.execute(body as MetadataCommand);
      default:
        return undefined;
    }
  }

  async seal(broker: BrokerId, seq: MetadataSeq, orders: readonly SealOrder[], timeoutMs: number): Promise<SealReply> {
    const body: SealBody = { seq, timeoutMs, orders };
    if (broker === this.#ports.self) return this.#sealHere(body);
    const result = await this.#ports.links.call(broker, "seal", body, timeoutMs);
    if (result.kind !== "answered" || !Array.isArray(result.body)) return [];
    return result.body.map((answer: SealReply[number] | null) => answer ?? undefined);
  }

  async handOver(leader: BrokerId, orders: readonly HandOverOrder[]): Promise<readonly PartitionKey[]> {
    if (leader === this.#ports.self) return this.#handOverHere(orders);
    const result = await this.#ports.links.call(leader, "hand-over", orders, handOverMsMax);
    return result.kind === "answered" ? (result.body as readonly PartitionKey[]) : [];
  }

  sendReports(reports: readonly ReplicaReport[]): void {
    const { controller, links, metadata } = this.#ports;
    const target = metadata.image.controller?.brokerId;
    if (controller.inOffice) controller.onReports(reports);
    else if (target !== undefined) void links.call(target, "report", reports, handOverMsMax);
  }

  /**
   * Before this broker stops: the peers hear of it, no more appends, the followers hold everything, others are elected.
   * Nobody waits for a partition of which no majority stays, as when the whole cell ends: nobody could lead it. What
   * could not be handed over is given up, so that whoever waits for a commit is answered. Called again it goes on with
   * the time that is left. Resolves with the number of partitions that were given up.
   */
  async releaseLeadership(): Promise<number> {
    const { clock, links, self } = this.#ports;
    links.drain();
    this.#releaseDeadlineMs ??= clock.monotonicMs() + releaseMsMax;
    const deadlineMs = this.#releaseDeadlineMs;
    for (const { leader } of this.#leaders()) if (leader !== undefined) leader.handingOver = true;
    const commits = () => this.#leaders().filter(({ record }) => isQuorum(record, (broker) => links.isAlive(broker)));
    const commitDeadlineMs = Math.min(deadlineMs, clock.monotonicMs() + releaseCommitMsMax);
    await this.#until(commitDeadlineMs, () =>
      commits().every(({ leader }) => leader === undefined || leader.highWatermark >= leader.endOffset),
    );
    const stays = (broker: BrokerId) => broker !== self && links.isAlive(broker) && !links.isDraining(broker);
    const released = () => !this.#leaders().some(({ record }) => isQuorum(record, stays));
    while (!released() && clock.monotonicMs() < deadlineMs) {
      let answered = false;
      void this.#askRelease(deadlineMs).then(() => {
        answered = true;
      });
      // The controller may be about to stop as well.
      await this.#until(deadlineMs, () => answered || released());
      await this.#until(Math.min(deadlineMs, clock.monotonicMs() + releaseRetryMs), released);
    }
    const left = this.#leaders();
    for (const replica of left) replica.resign();
    return left.length;
  }

  #leaders(): readonly Replica[] {
    return [...this.#ports.replicas.replicas()].filter(({ leader }) => leader !== undefined);
  }

  /** Asks whoever is controller now to have others elected for what this broker leads. */
  async #askRelease(deadlineMs: number): Promise<void> {
    const { clock, controller, links, metadata, self } = this.#ports;
    const target = metadata.image.controller?.brokerId;
    if (controller.inOffice) await controller.release(self);
    else if (target !== undefined && target !== self)
      await links.call(target, "release", self, Math.max(1, deadlineMs - clock.monotonicMs()));
  }

  async #sealHere(body: SealBody): Promise<SealReply> {
    const { metadata, replicas } = this.#ports;
    // A broker that has not read the intent may not know yet that its own data is held for lost.
    if ((await metadata.follower.waitFor(body.seq, body.timeoutMs)) !== "reached") return [];
    const answers = body.orders.map((order) => replicas.seal(order.topicId, order.partition, order.epoch));
    return (await Promise.all(answers)).map((answer) => {
      if (answer.kind !== "sealed") return undefined;
      const { acceptedEpoch, endOffset, logStartOffset, lost } = answer;
      return { acceptedEpoch, endOffset, logStartOffset, lost };
    });
  }

  /** Stops appends until the target holds everything; goes on by itself if no election follows. */
  async #handOverHere(orders: readonly HandOverOrder[]): Promise<readonly PartitionKey[]> {
    const { replicas, clock, timers } = this.#ports;
    const ready: PartitionKey[] = [];
    // A broker that is to stop takes no more appends: those with acks=1 would be answered, and replicated by nobody.
    const goOn = (leader: LeaderRole) => {
      if (this.#releaseDeadlineMs === undefined) leader.handingOver = false;
    };
    const pending = orders.flatMap((order) => {
      const replica = replicas.replica(order.topicId, order.partition);
      const leader = replica?.leader;
      if (leader === undefined || replica?.record.partitionEpoch !== order.partitionEpoch) return [];
      // A target that is far behind (its disk stands still, say) would only keep producers waiting, again and again.
      if (!leader.inSyncReplicas().includes(order.target)) return [];
      leader.handingOver = true;
      timers.after(handOverMsMax, () => goOn(leader));
      return [{ order, leader }];
    });
    const holds = ({ order, leader }: { readonly order: HandOverOrder; readonly leader: LeaderRole }) =>
      (leader.stream(order.target)?.heldOffset ?? -1) >= leader.endOffset;
    await this.#until(clock.monotonicMs() + handOverMsMax / 2, () => pending.every(holds));
    for (const entry of pending) {
      if (holds(entry)) ready.push({ topicId: entry.order.topicId, partition: entry.order.partition });
      else goOn(entry.leader);
    }
    return ready;
  }

  async #until(deadlineMs: number, condition: () => boolean): Promise<void> {
    while (!condition() && this.#ports.clock.monotonicMs() < deadlineMs)
      await new Promise<void>((resolve) => this.#ports.timers.after(handOverPollMs, resolve));
  }
}
