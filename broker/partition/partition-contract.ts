/**
 * What handlers (and later coordinators) see of the partitions that this broker hosts. `broker/partition` implements it
 * over replication; a handler never touches the replication core, the log or a peer link.
 *
 * Everything here is in the terms of one partition and its leader; the tenant was resolved before.
 */
import type { LeaderEpoch, TopicId } from "../../shared/metadata/records/record.ts";
import type { Offset } from "../log/log-contract.ts";
import type { Obstacle } from "../log/obstacle.ts";

/** Kafka error names that a partition can answer; the edge maps them to codes. */
export type PartitionError =
  | "NOT_LEADER_OR_FOLLOWER"
  | "LEADER_NOT_AVAILABLE"
  | "FENCED_LEADER_EPOCH"
  | "UNKNOWN_LEADER_EPOCH"
  | "OFFSET_OUT_OF_RANGE"
  | "OFFSET_NOT_AVAILABLE"
  | "NOT_ENOUGH_REPLICAS"
  | "KAFKA_STORAGE_ERROR"
  | "CORRUPT_MESSAGE"
  | "INVALID_RECORD"
  | "INVALID_TIMESTAMP"
  | "MESSAGE_TOO_LARGE"
  | "RECORD_LIST_TOO_LARGE"
  | "UNSUPPORTED_FOR_MESSAGE_FORMAT"
  | "UNSUPPORTED_COMPRESSION_TYPE"
  | "OUT_OF_ORDER_SEQUENCE_NUMBER"
  | "DUPLICATE_SEQUENCE_NUMBER"
  | "INVALID_PRODUCER_EPOCH"
  | "UNKNOWN_PRODUCER_ID"
  | "REQUEST_TIMED_OUT"
  | "POLICY_VIOLATION";

export type Failed = {
  readonly kind: "failed";
  readonly error: PartitionError;
  readonly message?: string;
  /** Per-record errors of a produce that was refused (KIP-467). */
  readonly recordErrors?: readonly { readonly batchIndex: number; readonly message: string }[];
};

export type AppendResult =
  | Failed
  | {
      readonly kind: "appended";
      /** An idempotent producer sent the batch again: it was in the log already, at these offsets. */
      readonly duplicate?: true;
      /** Offset of the first record (of the original append, for a duplicate of an idempotent producer). */
      readonly baseOffset: Offset;
      /** The append is committed when the high watermark reaches this. */
      readonly endOffset: Offset;
      /** Broker's time when the topic uses LogAppendTime, else -1. */
      readonly logAppendTimeMs: number;
      readonly logStartOffset: Offset;
    };

export interface AppendOptions {
  readonly requiredAcks: number;
  /**
   * The disk kept up when the request began, so what makes it lag is the rest of this request: refused, the batch would
   * come again behind those that the client pipelined after it.
   */
  readonly evenIfDiskLags?: boolean;
}

export interface PartitionOffsets {
  readonly logStartOffset: Offset;
  readonly highWatermark: Offset;
  readonly lastStableOffset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

/** Calls back once; the returned function withdraws the wish. */
export type Withdraw = () => void;

export interface HostedPartition {
  readonly topicId: TopicId;
  readonly partition: number;
  /** Epoch of the leadership that this replica holds; undefined while it holds none. */
  readonly leaderEpoch: LeaderEpoch | undefined;
  /** What keeps this replica from taking records for a moment; undefined also when it is not to lead at all. */
  readonly obstacle: Obstacle | undefined;

  /**
   * Leader only: validates, gives offsets, appends and starts replication. Answers at once; nothing is awaited.
   * `records` is the produce request's slice; base offset and leader epoch are written into it.
   */
  append(records: Buffer, options: AppendOptions): AppendResult;
  /**
   * Calls back with undefined when the high watermark reaches `endOffset` in the same leadership, or with an error when
   * this leadership ended first (NOT_LEADER_OR_FOLLOWER). May call back before it returns. The caller owns the timeout
   * (REQUEST_TIMED_OUT) and withdraws.
   */
  whenCommitted(endOffset: Offset, done: (error: PartitionError | undefined) => void): Withdraw;

  /**
   * The leader's offsets for a client that believes in `currentLeaderEpoch` (-1: no opinion), or why not: fenced or
   * unknown epoch, not the leader, or a leader that may not serve yet (OFFSET_NOT_AVAILABLE) or any more.
   */
  offsets(currentLeaderEpoch: number): PartitionOffsets | Failed;
  /** Whole batches from `offset` below the high watermark; synchronous when in memory. Check `offsets` first. */
  read(
    offset: Offset,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly Buffer[] | Promise<readonly Buffer[] | Failed> | Failed;
  /**
   * Calls `changed` every time the high watermark or the leadership changes, until withdrawn. The callback must be cheap
   * (mark and return): a fetch that waits is woken by it.
   */
  watch(changed: () => void): Withdraw;
  /** Last epoch <= `epoch` and its end offset, for OffsetForLeaderEpoch and for Fetch's diverging epoch (KIP-595). */
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: Offset };
  offsetForTimestamp(
    timestampMs: number,
  ): Promise<{ readonly offset: Offset; readonly timestampMs: number; readonly epoch: number } | undefined | Failed>;
  offsetOfMaxTimestamp(): Promise<
    { readonly offset: Offset; readonly timestampMs: number; readonly epoch: number } | undefined | Failed
  >;
  /** Raises the log start (DeleteRecords); resolves when a majority of replicas has it, with the new low watermark. */
  deleteRecords(offset: Offset): Promise<{ readonly kind: "deleted"; readonly lowWatermark: Offset } | Failed>;
  /** Brokers reported as in sync: voters within the lag bound. */
  inSyncReplicas(): readonly number[];
  /** Bytes of the local log. */
  readonly sizeBytes: number;
}

export interface PartitionHost {
  /** The replica that this broker hosts, whatever its role; undefined when it hosts none. */
  find(topicId: TopicId, partition: number): HostedPartition | undefined;
  /** What keeps this broker from taking records of the partition for a moment: of a replica that is being opened, too. */
  obstacle(topicId: TopicId, partition: number): Obstacle | undefined;
}
