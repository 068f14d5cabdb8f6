/** When committed offsets go by themselves (KIP-211): a pure rule. */
import type { TopicId } from "../../../shared/metadata/records/record.ts";
import type { CommittedOffset, GroupOffsets } from "./group-offsets.ts";

export interface ExpiringGroup {
  readonly offsets: GroupOffsets;
  /** It has no members. */
  readonly isEmpty: boolean;
  /** Wall time since when it has had none; undefined for a group that never had a member, or has some. */
  readonly emptySinceMs: number | undefined;
  /**
   * Topics that its members read; undefined when that is not known, above all during a rebalance, which somebody may have
   * begun who reads others (then all are taken to be read).
   */
  readonly subscribed: ReadonlySet<TopicId> | undefined;
}

/**
 * The group's offsets that are due to go at `wallMs`. Those of an empty group age from when it became empty (or from the
 * commit, whichever is later); those of a group with members only for topics that none of them reads, from the commit;
 * those of simple consumers, which never join, from the commit. A commit that named its own retention obeys that instead of
 * the cell's, but goes no more than others while it is read.
 */
export function expiredOffsets(group: ExpiringGroup, wallMs: number, retentionMs: number): CommittedOffset[] {
  const expired: CommittedOffset[] = [];
  for (const committed of group.offsets.all())
    if (isExpired(committed, group, wallMs, retentionMs)) expired.push(committed);
  return expired;
}

function isExpired(
  { topicId, value }: CommittedOffset,
  group: ExpiringGroup,
  wallMs: number,
  retentionMs: number,
): boolean {
  const isRead = !group.isEmpty && group.subscribed?.has(topicId) !== false;
  if (isRead) return false;
  if (value.expireMs >= 0) return value.expireMs <= wallMs;
  const emptySinceMs = group.isEmpty ? (group.emptySinceMs ?? 0) : 0;
  return Math.max(value.commitMs, emptySinceMs) + retentionMs <= wallMs;
}
