import { type Obstacle, OpenObstacle } from "../../../../broker/log/obstacle.ts";
import type {
  AppendOptions,
  AppendResult,
  Failed,
  HostedPartition,
  PartitionError,
  PartitionHost,
  PartitionOffsets,
  Withdraw,
} from "../../../../broker/partition/partition-contract.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../shared/kafka/records/record-batch.ts";

interface StoredBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly timestampMs: number;
  readonly bytes: Buffer;
}

interface CommitWish {
  readonly endOffset: number;
  done: ((error: PartitionError | undefined) => void) | undefined;
}

/** A partition in memory whose commits, leadership and file reads a test drives by hand. */
export class InMemoryPartition implements HostedPartition {
  readonly topicId: string;
  readonly partition: number;
  epoch = 1;
  leading = true;
  logStart = 0;
  highWatermark = 0;
  /** Commits at once what is appended. */
  commitsAtOnce = true;
  /** Appends are refused with this. */
  refusal: Failed | undefined;
  /** Reads wait until `finishReads`. */
  readsFromFiles = false;
  reads = 0;
  obstacle: OpenObstacle | undefined;
  readonly watchers = new Set<() => void>();
  readonly appended: { readonly records: Buffer; readonly requiredAcks: number }[] = [];
  readonly #batches: StoredBatch[] = [];
  #wishes: CommitWish[] = [];
  #pendingReads: (() => void)[] = [];

  constructor(topicId: string, partition: number) {
    this.topicId = topicId;
    this.partition = partition;
  }

  get leaderEpoch(): number | undefined {
    return this.leading ? this.epoch : undefined;
  }

  get endOffset(): number {
    return this.#batches.at(-1)?.endOffset ?? this.logStart;
  }

  get sizeBytes(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get waitingCommits(): number {
    return this.#wishes.length;
  }

  append(records: Buffer, { requiredAcks, evenIfDiskLags }: AppendOptions): AppendResult {
    if (!this.leading) return notLeader;
    if (this.obstacle !== undefined && evenIfDiskLags !== true) return { kind: "failed", error: "KAFKA_STORAGE_ERROR" };
    if (this.refusal !== undefined) return this.refusal;
    const batch = new RecordBatchView(records);
    const baseOffset = this.endOffset;
    batch.baseOffset = baseOffset;
    const endOffset = baseOffset + batch.lastOffsetDelta + 1;
    this.#batches.push({ baseOffset, endOffset, timestampMs: batch.maxTimestamp, bytes: records });
    this.appended.push({ records, requiredAcks });
    if (this.commitsAtOnce) this.commit();
    return { kind: "appended", baseOffset, endOffset, logAppendTimeMs: -1, logStartOffset: this.logStart };
  }

  /** Appends a batch of records with these values, as if somebody had produced it. */
  add(...values: string[]): void {
    this.append(encodeBatch({ records: values.map((value) => ({ value: Buffer.from(value) })) }), { requiredAcks: 1 });
  }

  /** A quorum has everything. */
  commit(): void {
    this.highWatermark = this.endOffset;
    const reached = this.#wishes.filter(({ endOffset }) => endOffset <= this.highWatermark);
    this.#wishes = this.#wishes.filter(({ endOffset }) => endOffset > this.highWatermark);
    for (const { done } of reached) done?.(undefined);
    this.#changed();
  }

  /** It does not lead, but is about to. */
  appoint(nowMs: number): void {
    this.leading = false;
    this.obstacle = new OpenObstacle(nowMs);
  }

  /** The leadership begins, or goes elsewhere. Who waits for it is told, unless that is left to `tell`. */
  settleAppointment(leading: boolean, tell = (settle: () => void) => settle()): void {
    const settled = this.obstacle;
    this.leading = leading;
    this.obstacle = undefined;
    tell(() => settled?.settle());
  }

  loseLeadership(): void {
    this.leading = false;
    const wishes = this.#wishes;
    this.#wishes = [];
    for (const { done } of wishes) done?.("NOT_LEADER_OR_FOLLOWER");
    this.#changed();
  }

  whenCommitted(endOffset: number, done: (error: PartitionError | undefined) => void): Withdraw {
    if (endOffset <= this.highWatermark) {
      done(undefined);
      return () => undefined;
    }
    const wish: CommitWish = { endOffset, done };
    this.#wishes.push(wish);
    return () => {
      this.#wishes = this.#wishes.filter((other) => other !== wish);
    };
  }

  offsets(currentLeaderEpoch: number): PartitionOffsets | Failed {
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < this.epoch)
      return { kind: "failed", error: "FENCED_LEADER_EPOCH" };
    if (currentLeaderEpoch > this.epoch) return { kind: "failed", error: "UNKNOWN_LEADER_EPOCH" };
    if (!this.leading) return notLeader;
    return {
      logStartOffset: this.logStart,
      highWatermark: this.highWatermark,
      lastStableOffset: this.highWatermark,
      leaderEpoch: this.epoch,
    };
  }

  read(offset: number, maxBytes: number, atLeastOne: boolean): readonly Buffer[] | Promise<readonly Buffer[]> | Failed {
    this.reads += 1;
    const found: Buffer[] = [];
    let bytes = 0;
    for (const batch of this.#batches) {
      if (batch.endOffset <= offset || batch.endOffset > this.highWatermark) continue;
      if (bytes + batch.bytes.length > maxBytes && !(atLeastOne && found.length === 0)) break;
      found.push(batch.bytes);
      bytes += batch.bytes.length;
    }
    if (!this.readsFromFiles) return found;
    return new Promise((resolve) => {
      this.#pendingReads.push(() => resolve(found));
    });
  }

  finishReads(): void {
    const reads = this.#pendingReads;
    this.#pendingReads = [];
    for (const finish of reads) finish();
  }

  watch(changed: () => void): Withdraw {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }

  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return epoch > this.epoch ? { epoch: -1, endOffset: -1 } : { epoch, endOffset: this.endOffset };
  }

  offsetForTimestamp(timestampMs: number) {
    const found = this.#batches.find((batch) => batch.timestampMs >= timestampMs);
    return Promise.resolve(found && { offset: found.baseOffset, timestampMs: found.timestampMs, epoch: this.epoch });
  }

  offsetOfMaxTimestamp() {
    const last = this.#batches.at(-1);
    return Promise.resolve(last && { offset: last.endOffset - 1, timestampMs: last.timestampMs, epoch: this.epoch });
  }

  deleteRecords(offset: number): Promise<{ readonly kind: "deleted"; readonly lowWatermark: number } | Failed> {
    if (!this.leading) return Promise.resolve(notLeader);
    this.logStart = offset === -1 ? this.highWatermark : offset;
    return this.commitsAtOnce
      ? Promise.resolve({ kind: "deleted", lowWatermark: this.logStart })
      : new Promise(() => undefined);
  }

  inSyncReplicas(): readonly number[] {
    return this.leading ? [1, 2, 3] : [];
  }

  #changed(): void {
    for (const changed of this.watchers) changed();
  }
}

const notLeader: Failed = { kind: "failed", error: "NOT_LEADER_OR_FOLLOWER" };

export class InMemoryPartitions implements PartitionHost {
  readonly #partitions = new Map<string, InMemoryPartition>();

  find(topicId: string, partition: number): InMemoryPartition | undefined {
    return this.#partitions.get(`${topicId}-${partition}`);
  }

  obstacle(topicId: string, partition: number): Obstacle | undefined {
    return this.find(topicId, partition)?.obstacle;
  }

  /** Hosts the partition from now on. */
  host(topicId: string, partition: number): InMemoryPartition {
    const present = this.find(topicId, partition);
    if (present !== undefined) return present;
    const hosted = new InMemoryPartition(topicId, partition);
    this.#partitions.set(`${topicId}-${partition}`, hosted);
    return hosted;
  }
}
