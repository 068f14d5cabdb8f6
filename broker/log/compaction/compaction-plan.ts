/** Which part of a log to compact, and whether it is worth it: functions of values, by the rules of Kafka's cleaner. */
import { segmentBytesMax, segmentOffsetsMax } from "../limits.ts";
import type { CompactionRules, LogConfig, Offset } from "../log-contract.ts";
import type { CompactionState, SegmentSummary } from "../log-state-file.ts";

/** The log as it is now. */
export interface PlannedLog {
  /** Ascending; the last one grows, and is never compacted. */
  readonly segments: readonly SegmentSummary[];
  readonly startOffset: Offset;
  readonly compaction: CompactionState;
}

/** What the log's surroundings allow. */
export interface CompactionBounds {
  readonly wallMs: number;
  /** All below is committed and will not be cut off. */
  readonly settledOffset: Offset;
  /** Tombstones from here on must stay: a follower has yet to copy them. */
  readonly tombstonesKeptFrom: Offset;
}

export interface CompactionNeed {
  /** Where the dirty part begins: below it a pass has been. */
  readonly from: Offset;
  /** Where the part that may be compacted ends. */
  readonly to: Offset;
  /** Share of the dirty part in all that may be compacted. */
  readonly dirtyRatio: number;
  /** Dirty enough, or old enough (max.compaction.lag.ms), or with tombstones whose time is over. */
  readonly isDue: boolean;
}

export function compactionNeed(log: PlannedLog, rules: CompactionRules, bounds: CompactionBounds): CompactionNeed {
  const { wallMs, settledOffset, tombstonesKeptFrom } = bounds;
  const from = Math.max(log.compaction.compactedTo, log.startOffset);
  let to = log.startOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let dirtySinceMs = Number.POSITIVE_INFINITY;
  for (const segment of log.segments.slice(0, -1)) {
    const newestMs = segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.createdMs;
    // Without a lag the records' times, which may lie ahead of ours, do not matter.
    const isTooNew = rules.minLagMs > 0 && wallMs - newestMs < rules.minLagMs;
    if (segment.endOffset > settledOffset || isTooNew) break;
    to = segment.endOffset;
    if (segment.endOffset <= from) {
      cleanBytes += segment.sizeBytes;
      continue;
    }
    dirtyBytes += segment.sizeBytes;
    dirtySinceMs = Math.min(dirtySinceMs, segment.createdMs);
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes);
  const { newestHorizonMs } = log.compaction;
  const hasOldTombstones = newestHorizonMs >= 0 && newestHorizonMs <= wallMs && tombstonesKeptFrom >= from;
  const isLate = dirtyBytes > 0 && wallMs - dirtySinceMs > rules.maxLagMs;
  const isDue = dirtyRatio > rules.minDirtyRatio || isLate || (hasOldTombstones && to > log.startOffset);
  return { from: Math.min(from, to), to, dirtyRatio, isDue };
}

/**
 * Segments that begin below `to`, in groups that make one each: as many as follow one another and together are no larger
 * than a segment may be.
 */
export function groupSegments<T extends SegmentSummary>(
  segments: readonly T[],
  to: Offset,
  config: Pick<LogConfig, "segmentBytes">,
): readonly (readonly T[])[] {
  const bytesMax = Math.min(config.segmentBytes, segmentBytesMax);
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const segment of segments.slice(0, -1)) {
    if (segment.baseOffset >= to) break;
    const first = group[0] ?? segment;
    const fits = bytes + segment.sizeBytes <= bytesMax && segment.endOffset - first.baseOffset <= segmentOffsetsMax;
    if (group.length > 0 && !fits) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(segment);
    bytes += segment.sizeBytes;
  }
  return group.length === 0 ? groups : [...groups, group];
}
