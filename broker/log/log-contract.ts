/**
 * What replication and the handlers need of one partition's log on one broker. `PartitionLog` in `partition-log.ts`
 * implements it on the Disk port.
 *
 *   startOffset <= … <= syncedOffset <= writtenOffset <= endOffset
 */

import type { CompactionBounds, CompactionNeed } from "./compaction/compaction-plan.ts";
import type { CompactionResult } from "./compaction/compaction-run.ts";
import type { CompactionMeans } from "./compaction/log-compaction.ts";
import type { EpochHistory } from "./epoch-history.ts";
import type { Obstacle } from "./obstacle.ts";
import type { ProducerStates } from "./producer-states.ts";

/** Position of a record in its partition. */
export type Offset = number;

/** One append: whole record batches, contiguous, in one segment, offsets and leader epoch already in place. */
export interface LogChunk {
  readonly baseOffset: Offset;
  /** One past the last offset. */
  readonly endOffset: Offset;
  /** Partition leader epoch of all its batches. */
  readonly epoch: number;
  readonly bytes: Buffer;
  /** The leader began a new segment with this chunk; followers do the same, so that segments stay alike until compaction. */
  readonly startsSegment: boolean;
}

export interface PartitionLogContract {
  /** First offset that may be read; only rises (but for `restartAt`), and only once the rise is on the device. */
  readonly startOffset: Offset;
  /** Next offset to be given; counts writes still under way. Falls only in `truncate`. */
  readonly endOffset: Offset;
  /** All below it is written (page cache). What acknowledgements and seal answers speak of. */
  readonly writtenOffset: Offset;
  /** All below it is on the device. */
  readonly syncedOffset: Offset;
  /** Which epoch wrote which offsets, up to endOffset. */
  readonly epochs: EpochHistory;
  /** Another object after `truncate` and `restartAt`: ask for it each time. */
  readonly producers: ProducerStates;
  /** Bytes in all segments. */
  readonly sizeBytes: number;
  /** Why the log takes no more writes (a write failed); undefined while healthy. A failed log stays failed until reopened. */
  readonly failure: Error | undefined;
  /**
   * The disk does not keep up, and what waits for it, of all logs of this broker, is as much as memory should hold. An
   * append is taken all the same: a follower's are bounded by what its leaders push, a leader's by refusing producers.
   */
  readonly lag: Obstacle | undefined;

  /**
   * Starts writing; endOffset, epochs and producers move at once, writtenOffset when the write ended. Chunks must
   * continue at endOffset. Appends that come while a write is under way are joined into the next write.
   * Throws, and has changed nothing: the failure of a failed log; a LogError when the chunk is not what it says or does not
   * continue the log (CHUNK_INVALID), or the log is closed or being cut (LOG_UNAVAILABLE).
   */
  append(chunk: LogChunk): void;
  /** Would the leader start a new segment with a chunk of this size and time (segment.bytes, segment.ms)? */
  shouldRoll(chunkBytes: number, wallMs: number): boolean;
  /** Called (synchronously, from the write's completion) whenever writtenOffset rose or the log failed. One listener. */
  onProgress(listener: () => void): void;

  /**
   * Cuts the log so that endOffset = `offset`: waits for writes under way, removes whole later segments, cuts the rest,
   * makes the cut durable against a crash, rebuilds producer state. `append` must not be called before it resolves.
   * An offset inside a batch cuts that whole batch; one at or below startOffset is as `restartAt` there.
   */
  truncate(offset: Offset): Promise<void>;
  /**
   * Cuts everything and starts again, empty, at `offset` (a follower whose log ends before the leader's start), as a copy of
   * a log whose tombstones below `tombstonesGoneBelow` are gone.
   */
  restartAt(offset: Offset, tombstonesGoneBelow?: Offset): Promise<void>;
  /** Raises startOffset (never above endOffset; lower or equal: nothing) and drops segments wholly below it. */
  raiseStart(offset: Offset): Promise<void>;

  /**
   * Whole chunks from `offset` (a chunk or batch boundary at or below it) to at most `endOffset`, for a follower. Inside a
   * filler they begin at `offset` itself.
   * From memory when possible (synchronously), else from disk. At least one batch, else at most `maxBytes`. Empty when the
   * offset left the log meanwhile. Rejects with LOG_CORRUPT for a batch whose checksum is wrong on this disk.
   */
  readChunks(offset: Offset, maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]>;
  /**
   * Whole batches for a consumer: the first holds `offset`, or the first record after it when compaction has left none
   * between; all end at or below `bound` (high watermark or last stable offset); at most `maxBytes`, but at least one batch
   * if `atLeastOne`. Only where no record follows below the bound do batches without records come alone. From memory
   * synchronously, else from disk.
   */
  read(
    offset: Offset,
    bound: Offset,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** First offset whose record's timestamp is >= `timestampMs`, below `bound`; undefined when none (ListOffsets). */
  offsetForTimestamp(
    timestampMs: number,
    bound: Offset,
  ): Promise<{ offset: Offset; timestampMs: number; epoch: number } | undefined>;
  /** The record with the highest timestamp below `bound` (ListOffsets MAX_TIMESTAMP, KIP-734); undefined when empty. */
  offsetOfMaxTimestamp(bound: Offset): Promise<{ offset: Offset; timestampMs: number; epoch: number } | undefined>;

  /** Makes everything written before the call survive a power loss; moves syncedOffset. No-op when clean. */
  sync(): Promise<void>;
  /**
   * Where retention.ms and retention.bytes let the start offset rise to, never above `bound` (the high watermark).
   * Only the leader asks; followers follow the leader's start offset through `raiseStart`.
   */
  retentionStart(wallMs: number, bound: Offset): Offset;
  /** All below was compacted: of each key only its newest record below is left there. */
  readonly compactedTo: Offset;
  /** Below may be missing what a newer record up to here has replaced: at least `compactedTo`, more while a pass is under way. */
  readonly cleanedTo: Offset;
  /**
   * Below it tombstones were removed for their age. A log that ends below and goes on from here would keep records that
   * they had deleted.
   */
  readonly tombstonesGoneBelow: Offset;
  /** Is the topic to be compacted, and the log open? */
  readonly isCompacted: boolean;
  /** What compaction would find to do; undefined when it is not compacted. */
  compactionNeed(bounds: CompactionBounds): CompactionNeed | undefined;
  /**
   * One pass of compaction (`broker/log/compaction`), in slices; the log goes on meanwhile. Ends early when the log closes,
   * fails or is cut. Rejects when the disk fails or the log is damaged; the log itself is then as it was, or has failed.
   */
  compact(bounds: CompactionBounds, means: CompactionMeans): Promise<CompactionResult>;
  /** Takes new topic configs (segment.bytes, retention.*, …) into use. */
  reconfigure(config: LogConfig): void;
  /** Syncs and closes; with `clean`, marks the log so that the next open may skip the recovery scan. */
  close(clean: boolean): Promise<void>;
  /** Closes and removes all files. */
  delete(): Promise<void>;
}

/** The topic configs that the log obeys, parsed. Milliseconds and bytes; -1 = no limit for retention. */
export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly indexIntervalBytes: number;
  /** With cleanup.policy=compact. */
  readonly compaction?: CompactionRules | undefined;
}

/** The topic configs of compaction. Milliseconds and a share. */
export interface CompactionRules {
  /** min.cleanable.dirty.ratio */
  readonly minDirtyRatio: number;
  /** min.compaction.lag.ms: newer records are left alone. */
  readonly minLagMs: number;
  /** max.compaction.lag.ms: older ones are not left dirty. */
  readonly maxLagMs: number;
  readonly deleteRetentionMs: number;
}
