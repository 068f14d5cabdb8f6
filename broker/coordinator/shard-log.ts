import { BatchBuilder } from "../../shared/kafka/records/batch-builder.ts";
import type { LeaderEpoch } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { HostedPartition, PartitionError } from "../partition/partition-contract.ts";
import { type CoordinatorError, coordinatorError } from "./coordinator-errors.ts";
import { appendBytesMax, commitMsMax, recordBytesMax, uncommittedBytesMax } from "./limits.ts";

export interface CoordinatorRecord {
  readonly key: Buffer;
  /** Null: what the key names is gone. */
  readonly value: Buffer | null;
}

/** Records that are appended together, in order, and what follows from them. */
export interface ShardChange {
  readonly records: readonly CoordinatorRecord[];
  /** The records are committed: called in the order of the log, also after `answer` had to say that it took too long. */
  readonly committed: () => void;
  /** Called exactly once: undefined when committed (after `committed`), else why that is not known or will not be. */
  readonly answer: (error: CoordinatorError | undefined) => void;
  /** Called exactly once, last: nothing of it is under way here any more. */
  readonly settled?: () => void;
}

export interface ShardLogPorts {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** One append under way. */
interface Batch {
  readonly changes: readonly ShardChange[];
  readonly bytes: number;
  /** Its changes were answered. */
  answered: boolean;
}

/**
 * The way of a shard's changes into its internal partition: what one turn of the event loop changes is one append with
 * acks=all (two at most: a batch is bounded). Bound to one leadership; when that ended nothing commits any more here,
 * though what was appended may yet, under the next coordinator.
 */
export class ShardLog {
  readonly #partition: HostedPartition;
  readonly #epoch: LeaderEpoch;
  readonly #ports: ShardLogPorts;
  #waiting: ShardChange[] = [];
  #flushPlanned = false;
  #uncommittedBytes = 0;
  #ended = false;

  constructor(partition: HostedPartition, epoch: LeaderEpoch, ports: ShardLogPorts) {
    this.#partition = partition;
    this.#epoch = epoch;
    this.#ports = ports;
  }

  append(change: ShardChange): void {
    const bytes = bytesOf(change);
    if (this.#ended) return refuse(change, "NOT_COORDINATOR");
    if (bytes > recordBytesMax) return refuse(change, "INVALID_COMMIT_OFFSET_SIZE");
    if (this.#uncommittedBytes + bytes > uncommittedBytesMax) return refuse(change, "COORDINATOR_NOT_AVAILABLE");
    this.#uncommittedBytes += bytes;
    this.#waiting.push(change);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#ports.timers.afterTurn(() => this.#flush());
  }

  /** The leadership is over. */
  end(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const change of waiting) refuse(change, "NOT_COORDINATOR");
  }

  #flush(): void {
    this.#flushPlanned = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    let first = 0;
    while (first < waiting.length) {
      let end = first;
      let bytes = 0;
      do {
        bytes += bytesOf(waiting[end] as ShardChange);
        end += 1;
      } while (end < waiting.length && bytes + bytesOf(waiting[end] as ShardChange) <= appendBytesMax);
      this.#appendBatch({ changes: waiting.slice(first, end), bytes, answered: false });
      first = end;
    }
  }

  #appendBatch(batch: Batch): void {
    const partition = this.#partition;
    // Another leadership of this broker may have begun: its shard reads first what others appended in between.
    if (this.#ended || partition.leaderEpoch !== this.#epoch) {
      this.#settle(batch, "NOT_LEADER_OR_FOLLOWER");
      return;
    }
    const builder = new BatchBuilder();
    for (const { records } of batch.changes) for (const { key, value } of records) builder.add(key, value);
    const result = partition.append(builder.build(this.#ports.clock.wallMs()), { requiredAcks: -1 });
    if (result.kind === "failed") {
      this.#settle(batch, result.error);
      return;
    }
    const cancel = this.#ports.timers.after(commitMsMax, () => answer(batch, "COORDINATOR_NOT_AVAILABLE"));
    partition.whenCommitted(result.endOffset, (error) => {
      cancel();
      this.#settle(batch, error);
    });
  }

  #settle(batch: Batch, error: PartitionError | undefined): void {
    this.#uncommittedBytes -= batch.bytes;
    const failure = this.#ended ? "NOT_COORDINATOR" : error && coordinatorError(error);
    const wasAnswered = batch.answered;
    batch.answered = true;
    for (const change of batch.changes) {
      if (failure === undefined) change.committed();
      if (!wasAnswered) change.answer(failure);
      change.settled?.();
    }
  }
}

function refuse(change: ShardChange, error: CoordinatorError): void {
  change.answer(error);
  change.settled?.();
}

function answer(batch: Batch, error: CoordinatorError): void {
  if (batch.answered) return;
  batch.answered = true;
  for (const change of batch.changes) change.answer(error);
}

function bytesOf({ records }: ShardChange): number {
  let bytes = 0;
  for (const { key, value } of records) bytes += key.length + (value?.length ?? 0);
  return bytes;
}
