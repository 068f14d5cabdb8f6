import type { LogicalClusterId } from "../../shared/metadata/records/record.ts";
import type { ClassicGroup } from "./group/classic-group.ts";
import { bytesPerCharacter } from "./group/limits.ts";
import { groupHeapBytes } from "./limits.ts";
import { GroupOffsets } from "./offsets/group-offsets.ts";

/** One group of one tenant, as its coordinator holds it. */
export class CoordinatedGroup {
  readonly lkc: LogicalClusterId;
  readonly groupId: string;
  readonly classic: ClassicGroup;
  readonly offsets: GroupOffsets;
  /** The log holds a record of its members (not only offsets). */
  isStored = false;
  /** Wall time since when it has had no members; undefined while it has some, or never had any. */
  emptySinceMs: number | undefined;
  /** Commits that are on their way into the log: what they replace must not be taken for old. */
  commitsUnderWay = 0;
  /** By how much the offsets grow at most when all those commits are done. */
  growthUnderWayBytes = 0;
  /** It is on its way out: nobody may join it or commit to it until that is committed, or is known not to be. */
  isRemoved = false;
  /** Its tenant is gone: it is to go when no commit is under way any more, which would outlive it. */
  isForsaken = false;
  /** What its tenant's usage has of it; undefined while its shard does not hold it. */
  countedBytes: number | undefined;

  constructor(
    id: { readonly lkc: LogicalClusterId; readonly groupId: string },
    classic: ClassicGroup,
    offsets = new GroupOffsets(),
  ) {
    this.lkc = id.lkc;
    this.groupId = id.groupId;
    this.classic = classic;
    this.offsets = offsets;
  }

  /** No members, nobody about to join, and no commit under way: without offsets nothing of it would be missed. */
  get isIdle(): boolean {
    return this.classic.isIdle && this.commitsUnderWay === 0;
  }

  /** What all of it takes of the broker's memory. */
  get stateBytes(): number {
    const { groupId, classic, offsets, growthUnderWayBytes } = this;
    return emptyGroupBytes(groupId) + classic.stateBytes + offsets.bytes + growthUnderWayBytes;
  }
}

/** What a group takes of the broker's memory while nothing is in it. */
export function emptyGroupBytes(groupId: string): number {
  return groupHeapBytes + groupId.length * bytesPerCharacter;
}

/** Groups are told apart by tenant and name; no name holds a NUL beside the one that this puts in. */
export function groupName(lkc: LogicalClusterId, groupId: string): string {
  return `${lkc}\0${groupId}`;
}
