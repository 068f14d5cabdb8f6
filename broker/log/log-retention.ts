/** Where retention lets a log begin: a function of values. Whole segments go, oldest first. */
import type { LogConfig, Offset } from "./log-contract.ts";
import type { SegmentSummary } from "./log-state-file.ts";

/** No limit, for `retentionMs` and `retentionBytes`. */
export const unlimited = -1;

/**
 * The offset that the start may rise to, never above `bound`.
 *
 * A segment is too old when its newest record is older than `retentionMs` (Kafka's rule: the records' timestamps, which
 * producers may set; without any, the time when the segment was begun). It is too much when the log is still at least
 * `retentionBytes` large without it.
 */
export function retentionStart(
  segments: readonly SegmentSummary[],
  config: Pick<LogConfig, "retentionMs" | "retentionBytes">,
  now: { readonly startOffset: Offset; readonly wallMs: number; readonly bound: Offset },
): Offset {
  let start = now.startOffset;
  let surplus = -config.retentionBytes;
  for (const segment of segments) surplus += segment.sizeBytes;
  for (const segment of segments) {
    if (segment.endOffset > now.bound) break;
    const newestMs = segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.createdMs;
    const isTooOld = config.retentionMs !== unlimited && now.wallMs - newestMs > config.retentionMs;
    const isTooMuch = config.retentionBytes !== unlimited && surplus >= segment.sizeBytes;
    if (!isTooOld && !isTooMuch) break;
    surplus -= segment.sizeBytes;
    start = Math.max(start, segment.endOffset);
  }
  return start;
}
