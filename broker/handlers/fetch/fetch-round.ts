import type { Failed, PartitionOffsets } from "../../partition/partition-contract.ts";
import type { Withdraw } from "../context/client-session.ts";
import type { RequestContext } from "../context/handler.ts";
import { kafkaErrorName } from "../context/kafka-errors.ts";
import { fetchReadsMax, fetchRecheckMs } from "../limits.ts";
import type { FetchPartition, PartitionAnswer } from "./fetch-partition.ts";
import type { PartitionLook, Readable } from "./partition-look.ts";
import type { PartitionQueue } from "./partition-queue.ts";

export interface RoundRules {
  readonly minBytes: number;
  /** Of the whole response; the first batch may be larger (KIP-74). */
  readonly maxBytes: number;
  readonly waitMs: number;
  /** Whether partitions stay watched after the request, as in a session. */
  readonly keepsWatching: boolean;
}

/**
 * One fetch request over the partitions in its queue: look at each once, read what there is, and if that is too little
 * wait until enough has come, something failed, the time is over, or the connection ends.
 *
 *   looking ──reads under way──▶ reading ──last read done──▶ enough? ──yes──▶ ended
 *      ▲                                                       │ no
 *      └───────── marked by a change (or after a pause) ─── waiting ── time over, connection ending ──▶ ended
 *
 * A wake looks only at the partitions that were marked. What was found in earlier looks is kept until it is replaced.
 */
export class FetchRound {
  readonly #context: RequestContext;
  readonly #look: PartitionLook;
  readonly #queue: PartitionQueue;
  readonly #rules: RoundRules;
  /** Looked at in this round, each once. */
  readonly touched: FetchPartition[] = [];
  #bytes = 0;
  /** Of those, what counts for `minBytes`. */
  #wantedBytes = 0;
  #decisive = false;
  /** Bytes promised to reads under way. */
  #reservedBytes = 0;
  #reads = 0;
  /** No room was left for these: the next request begins with them. */
  readonly #passedOver = new Set<FetchPartition>();
  #ended = false;
  #waiting = false;
  #superseded = false;
  #timeIsUp: boolean;
  #checkPlanned = false;
  #finish: (() => void) | undefined;
  #cancels: Withdraw[] = [];
  /** Time spent waiting for data, in milliseconds: not the broker's latency. */
  waitedMs = 0;

  constructor(parts: {
    readonly context: RequestContext;
    readonly look: PartitionLook;
    readonly queue: PartitionQueue;
    readonly rules: RoundRules;
  }) {
    this.#context = parts.context;
    this.#look = parts.look;
    this.#queue = parts.queue;
    this.#rules = parts.rules;
    this.#timeIsUp = parts.rules.waitMs <= 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the response can be made; undefined when it can be made at once. */
  run(): Promise<void> | undefined {
    this.#lookAtQueue();
    if (this.#isEnough()) {
      this.#end();
      return undefined;
    }
    const startedMs = this.#context.services.clock.monotonicMs();
    return new Promise((resolve) => {
      this.#finish = () => {
        this.waitedMs = this.#context.services.clock.monotonicMs() - startedMs;
        resolve();
      };
      this.#wait();
    });
  }

  /** Another request has taken the session over: nothing that was found here may be answered. */
  get superseded(): boolean {
    return this.#superseded;
  }

  supersede(): void {
    this.#superseded = true;
    this.#abandon();
    for (const partition of this.touched) {
      partition.answer = undefined;
      this.#queue.mark(partition);
    }
  }

  #wait(): void {
    const { services, session } = this.#context;
    this.#waiting = true;
    this.#queue.onMark = () => this.#planCheck();
    this.#cancels.push(session.whenEnding(() => this.#abandon()));
    if (!this.#timeIsUp) this.#cancels.push(services.timers.after(this.#rules.waitMs, () => this.#endWait()));
    // In the same turn as the look, so that no change is missed.
    for (const partition of this.touched) partition.watch();
  }

  #endWait(): void {
    this.#timeIsUp = true;
    this.#endIfEnough();
  }

  /** Once for all marks of one turn. */
  #planCheck(): void {
    if (this.#checkPlanned || this.#ended) return;
    this.#checkPlanned = true;
    queueMicrotask(() => this.#check());
  }

  #check(): void {
    this.#checkPlanned = false;
    if (this.#ended || this.#timeIsUp) return;
    this.#lookAtQueue();
    if (this.#endIfEnough() || this.#reads > 0) return;
    // Woken for less than the client wants: gather for a moment before the next look.
    this.#checkPlanned = true;
    this.#cancels.push(
      this.#context.services.timers.after(fetchRecheckMs, () => {
        this.#checkPlanned = false;
        if (this.#queue.length + this.#passedOver.size > 0) this.#planCheck();
      }),
    );
  }

  #abandon(): void {
    this.#timeIsUp = true;
    this.#end();
  }

  #endIfEnough(): boolean {
    if (!this.#isEnough()) return false;
    this.#end();
    return true;
  }

  #isEnough(): boolean {
    if (this.#reads > 0) return false;
    return this.#decisive || this.#timeIsUp || this.#wantedBytes >= this.#rules.minBytes;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue.onMark = undefined;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    if (this.#rules.keepsWatching) this.#queue.putBack([...this.#passedOver], this.touched.filter(needsAnotherLook));
    else for (const partition of this.touched) partition.unwatch();
    this.#finish?.();
  }

  #lookAtQueue(): void {
    const again = [...this.#passedOver];
    this.#passedOver.clear();
    for (const partition of again) this.#lookAt(partition);
    for (const partition of this.#queue.take()) this.#lookAt(partition);
  }

  #lookAt(partition: FetchPartition): void {
    if (partition.reader === this) {
      this.#passedOver.add(partition);
      return;
    }
    if (partition.answer === undefined) this.touched.push(partition);
    else {
      this.#bytes -= partition.answer.bytes;
      this.#wantedBytes -= partition.answer.wantedBytes;
    }
    const found = this.#look.check(partition);
    if ("hosted" in found) this.#read(partition, found);
    else this.#take(partition, found);
  }

  #read(partition: FetchPartition, { hosted, offsets, bound }: Readable): void {
    partition.hosted = hosted;
    if (this.#rules.keepsWatching || this.#waiting) partition.watch();
    const { fetchOffset, partitionMaxBytes } = partition.asked;
    if (fetchOffset >= bound) return this.#take(partition, this.#look.found(partition, offsets));
    const first = this.#bytes === 0 && this.#reads === 0;
    const room = Math.min(partitionMaxBytes, this.#rules.maxBytes - this.#bytes - this.#reservedBytes);
    if ((room <= 0 && !first) || this.#reads >= fetchReadsMax) {
      this.#passedOver.add(partition);
      return this.#take(partition, this.#look.found(partition, offsets));
    }
    const records = hosted.read(fetchOffset, Math.max(room, 0), first);
    if (records instanceof Promise) this.#readFile(partition, { offsets, records, room: Math.max(room, 0) });
    else this.#takeRead(partition, offsets, records);
  }

  #readFile(
    partition: FetchPartition,
    read: {
      readonly offsets: PartitionOffsets;
      readonly records: Promise<readonly Buffer[] | Failed>;
      readonly room: number;
    },
  ): void {
    partition.reader = this;
    this.#reads += 1;
    this.#reservedBytes += read.room;
    // Something to answer should the connection end first.
    partition.answer = this.#look.found(partition, read.offsets);
    const finishRead = (): boolean => {
      if (partition.reader === this) partition.reader = undefined;
      this.#reads -= 1;
      this.#reservedBytes -= read.room;
      return !this.#ended;
    };
    read.records.then(
      (records) => {
        if (finishRead()) this.#takeRead(partition, read.offsets, records);
        this.#afterRead();
      },
      (error: unknown) => {
        this.#context.services.logger.error("fetch-read-failed", { error });
        if (finishRead()) this.#take(partition, this.#look.failed(partition, "KAFKA_STORAGE_ERROR", undefined));
        this.#afterRead();
      },
    );
  }

  #afterRead(): void {
    if (this.#ended || this.#reads > 0 || this.#endIfEnough()) return;
    // Time has passed since the partitions were looked at, and they may not have been watched.
    this.#planCheck();
  }

  #takeRead(partition: FetchPartition, offsets: PartitionOffsets, records: readonly Buffer[] | Failed): void {
    if ("kind" in records)
      this.#take(partition, this.#look.failed(partition, kafkaErrorName(records.error), undefined));
    else this.#take(partition, this.#look.found(partition, offsets, records));
  }

  #take(partition: FetchPartition, answer: PartitionAnswer): void {
    partition.answer = answer;
    this.#bytes += answer.bytes;
    this.#wantedBytes += answer.wantedBytes;
    this.#decisive ||= answer.decisive;
  }
}

/** Errors are told until they are gone, and records until the client's offset has moved past them. */
function needsAnotherLook({ answer, reader }: FetchPartition): boolean {
  return reader !== undefined || (answer !== undefined && (answer.decisive || answer.bytes > 0));
}
