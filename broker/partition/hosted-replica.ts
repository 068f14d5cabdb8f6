import { RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import { validateBatches } from "../../shared/kafka/records/validate-batches.ts";
import type { LeaderEpoch, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { LogChunk, Offset } from "../log/log-contract.ts";
import type { Obstacle } from "../log/obstacle.ts";
import { chunkBytesMax } from "../peer/limits.ts";
import type { LeaderRole } from "./leader-role.ts";
import type {
  AppendOptions,
  AppendResult,
  Failed,
  HostedPartition,
  PartitionError,
  PartitionOffsets,
  Withdraw,
} from "./partition-contract.ts";
import type { PartitionSettings } from "./partition-settings.ts";
import type { Replica } from "./replica.ts";

/** Moved from batch to batch. One for all replicas: a view of its own would keep the last frame alive for each. */
const batchView = new RecordBatchView(Buffer.alloc(0));

const notLeader: Failed = { kind: "failed", error: "NOT_LEADER_OR_FOLLOWER" };

/** Clients try again, as they do when a log has failed. */
const diskBehind: Failed = { kind: "failed", error: "KAFKA_STORAGE_ERROR", message: "the disk does not keep up" };

/** As in Kafka: what compaction keeps nobody deletes by offset. */
const notDeleted: Failed = {
  kind: "failed",
  error: "POLICY_VIOLATION",
  message: "records of a partition whose cleanup.policy lacks delete are not deleted",
};

interface TimestampedOffset {
  readonly offset: Offset;
  readonly timestampMs: number;
  readonly epoch: number;
}

/** A replica as handlers see it: produce, read and look up in the terms of the Kafka protocol. */
export class HostedReplica implements HostedPartition {
  readonly replica: Replica;
  settings: PartitionSettings;
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  readonly #onLeadership: (hosted: HostedReplica) => void;
  #toldEpoch: LeaderEpoch | undefined;
  /** DeleteRecords that wait until a quorum has the new log start. */
  #deletions: { readonly offset: Offset; readonly done: (result: "held" | "ended") => void }[] = [];

  constructor(
    settings: PartitionSettings,
    clock: Clock,
    make: (onChanged: () => void, minInsyncReplicas: () => number) => Replica,
    onLeadership: (hosted: HostedReplica) => void,
  ) {
    this.settings = settings;
    this.#clock = clock;
    this.#onLeadership = onLeadership;
    this.replica = make(
      () => this.#changed(),
      () => this.settings.topic.minInsyncReplicas,
    );
  }

  get topicId(): TopicId {
    return this.replica.context.topicId;
  }

  get partition(): number {
    return this.replica.context.partition;
  }

  get leaderEpoch(): LeaderEpoch | undefined {
    return this.replica.leader?.epoch;
  }

  get obstacle(): Obstacle | undefined {
    const { leader, appointment, log } = this.replica;
    return leader === undefined ? appointment : log.lag;
  }

  get sizeBytes(): number {
    return this.replica.log.sizeBytes;
  }

  reconfigure(settings: PartitionSettings): void {
    this.settings = settings;
    this.replica.log.reconfigure(settings.log);
    const leader = this.replica.leader;
    if (leader === undefined || leader.minInsyncReplicas === settings.topic.minInsyncReplicas) return;
    leader.minInsyncReplicas = settings.topic.minInsyncReplicas;
    leader.recount();
  }

  append(records: Buffer, options: AppendOptions): AppendResult {
    const leader = this.replica.leader;
    if (leader === undefined || leader.handingOver) return notLeader;
    const { log } = this.replica;
    if (log.failure !== undefined) return { kind: "failed", error: "KAFKA_STORAGE_ERROR" };
    if (options.requiredAcks === -1 && leader.lacksInSyncReplicas())
      return { kind: "failed", error: "NOT_ENOUGH_REPLICAS" };
    const wallMs = this.#clock.wallMs();
    const validated = validateBatches(records, this.settings.topic, wallMs);
    if (validated.kind === "failed") return validated;
    if (validated.records.length > chunkBytesMax)
      return {
        kind: "failed",
        error: "MESSAGE_TOO_LARGE",
        message: `at most ${chunkBytesMax} bytes can be replicated`,
      };
    const batch = batchView.moveTo(validated.records, 0);
    const logAppendTimeMs = batch.isLogAppendTime ? wallMs : -1;
    const checked = log.producers.check(batch);
    if (checked.kind === "duplicate") {
      const { baseOffset, endOffset, timestampMs } = checked;
      return {
        kind: "appended",
        duplicate: true,
        baseOffset,
        endOffset,
        logAppendTimeMs: batch.isLogAppendTime ? timestampMs : -1,
        logStartOffset: log.startOffset,
      };
    }
    if (checked.kind === "refused") return { kind: "failed", error: checked.error, message: checked.message };
    if (log.lag !== undefined && options.evenIfDiskLags !== true) return diskBehind;
    return this.#appendChunk(leader, validated.records, batch, wallMs, logAppendTimeMs);
  }

  #appendChunk(
    leader: LeaderRole,
    records: Buffer,
    batch: RecordBatchView,
    wallMs: number,
    logAppendTimeMs: number,
  ): AppendResult {
    const { log } = this.replica;
    const baseOffset = log.endOffset;
    batch.baseOffset = baseOffset;
    batch.partitionLeaderEpoch = leader.epoch;
    const endOffset = baseOffset + batch.lastOffsetDelta + 1;
    const chunk: LogChunk = {
      baseOffset,
      endOffset,
      epoch: leader.epoch,
      bytes: records,
      startsSegment: log.shouldRoll(records.length, wallMs),
    };
    log.append(chunk);
    leader.push(chunk);
    return { kind: "appended", baseOffset, endOffset, logAppendTimeMs, logStartOffset: log.startOffset };
  }

  whenCommitted(endOffset: Offset, done: (error: PartitionError | undefined) => void): Withdraw {
    const leader = this.replica.leader;
    if (leader !== undefined) return leader.whenCommitted(endOffset, done);
    done("NOT_LEADER_OR_FOLLOWER");
    return () => undefined;
  }

  offsets(currentLeaderEpoch: number): PartitionOffsets | Failed {
    const leader = this.replica.leader;
    const epoch = leader?.epoch ?? this.replica.record.leaderEpoch;
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < epoch) return { kind: "failed", error: "FENCED_LEADER_EPOCH" };
    if (currentLeaderEpoch > epoch) return { kind: "failed", error: "UNKNOWN_LEADER_EPOCH" };
    if (leader === undefined) return notLeader;
    if (!leader.mayServe()) return { kind: "failed", error: "OFFSET_NOT_AVAILABLE" };
    return {
      logStartOffset: this.replica.log.startOffset,
      highWatermark: leader.highWatermark,
      lastStableOffset: leader.highWatermark,
      leaderEpoch: leader.epoch,
    };
  }

  read(
    offset: Offset,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly Buffer[] | Promise<readonly Buffer[] | Failed> | Failed {
    const leader = this.replica.leader;
    if (leader === undefined) return notLeader;
    const read = this.replica.log.read(offset, leader.highWatermark, maxBytes, atLeastOne);
    return read instanceof Promise ? read.catch(storageError) : read;
  }

  watch(changed: () => void): Withdraw {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: Offset } {
    const { log, leader } = this.replica;
    const end = log.epochs.endOffsetFor(epoch, log.endOffset);
    if (end !== undefined) return end;
    // No epoch wrote anything yet: all up to the leader's ended where the log does. Consumers that stood at this end under
    // an earlier leader would take "unknown" for a cut log and jump by their reset policy, past records.
    const known = leader !== undefined && epoch >= 0 && epoch <= leader.epoch;
    return known ? { epoch, endOffset: log.endOffset } : { epoch: -1, endOffset: -1 };
  }

  offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | undefined | Failed> {
    const leader = this.replica.leader;
    if (leader === undefined) return Promise.resolve(notLeader);
    return this.replica.log.offsetForTimestamp(timestampMs, leader.highWatermark).catch(storageError);
  }

  offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined | Failed> {
    const leader = this.replica.leader;
    if (leader === undefined) return Promise.resolve(notLeader);
    return this.replica.log.offsetOfMaxTimestamp(leader.highWatermark).catch(storageError);
  }

  async deleteRecords(offset: Offset): Promise<{ readonly kind: "deleted"; readonly lowWatermark: Offset } | Failed> {
    const leader = this.replica.leader;
    if (leader === undefined) return notLeader;
    // A new leader does not know yet how far the log is committed, one that nobody follows does not know any more.
    if (!leader.mayServe()) return { kind: "failed", error: "LEADER_NOT_AVAILABLE" };
    if (!this.settings.topic.cleanupPolicy.includes("delete")) return notDeleted;
    const target = offset === -1 ? leader.highWatermark : offset;
    if (target > leader.highWatermark || target < 0) return { kind: "failed", error: "OFFSET_OUT_OF_RANGE" };
    try {
      await this.replica.log.raiseStart(target);
    } catch (error) {
      return storageError(error);
    }
    if (this.replica.leader !== leader) return notLeader;
    // Carried by an empty push, and acknowledged like records.
    for (const stream of leader.streams()) stream.probe();
    if (!leader.logStartHeldByQuorum(target)) {
      const outcome = await new Promise<"held" | "ended">((done) => this.#deletions.push({ offset: target, done }));
      if (outcome === "ended") return notLeader;
    }
    return { kind: "deleted", lowWatermark: this.replica.log.startOffset };
  }

  /** A follower acknowledged a log start. */
  onLogStartHeld(): void {
    const leader = this.replica.leader;
    if (this.#deletions.length === 0 || leader === undefined) return;
    this.#deletions = this.#deletions.filter((deletion) => {
      if (!leader.logStartHeldByQuorum(deletion.offset)) return true;
      deletion.done("held");
      return false;
    });
  }

  inSyncReplicas(): readonly number[] {
    return this.replica.leader?.inSyncReplicas() ?? [];
  }

  #changed(): void {
    if (this.#deletions.length > 0 && this.replica.leader === undefined) {
      for (const deletion of this.#deletions) deletion.done("ended");
      this.#deletions = [];
    }
    for (const changed of this.#watchers) changed();
    const epoch = this.leaderEpoch;
    if (epoch === this.#toldEpoch) return;
    this.#toldEpoch = epoch;
    this.#onLeadership(this);
  }
}

function storageError(error: unknown): Failed {
  return { kind: "failed", error: "KAFKA_STORAGE_ERROR", message: String(error) };
}
