/** What a classic group is busy with; each state carries only what it needs. The diagram is in `classic-group.ts`. */
import type { GroupMember } from "./group-member.ts";

export type GroupPhase =
  | { readonly name: "Empty"; readonly sinceMs: number }
  | PreparingRebalance
  | CompletingRebalance
  | StableGeneration
  | { readonly name: "Dead" };

/** Waiting for members to join. */
export interface PreparingRebalance {
  readonly name: "PreparingRebalance";
  /** Then it goes on with those who joined. */
  deadlineMs: number;
  /** The group was empty: it waits a little for others, whether or not all have joined. */
  readonly initial: InitialDelay | undefined;
}

export interface InitialDelay {
  /** The deadline is moved no further than this. */
  readonly latestMs: number;
  /** Somebody came since the deadline was set. */
  memberCame: boolean;
}

/** All were told of the generation; waiting for the leader's assignment, and for it to be written. */
export interface CompletingRebalance {
  readonly name: "CompletingRebalance";
  /** Who owes its sync then is removed. */
  syncDeadlineMs: number;
  assignment: PendingAssignment | undefined;
}

export interface PendingAssignment {
  readonly token: WriteToken;
  readonly byMemberId: ReadonlyMap<string, Buffer>;
  /** Of all assignments in it. */
  readonly bytes: number;
}

export interface StableGeneration {
  readonly name: "Stable";
  /** As before; infinity once everybody has synced. */
  syncDeadlineMs: number;
  /** Static members that came back under a new id, which is not known to be written yet. In the order of their writes. */
  replacements: readonly Replacement[];
}

export interface Replacement {
  readonly token: WriteToken;
  /** Takes its place again when the write fails. */
  readonly before: GroupMember;
  readonly after: GroupMember;
  /** The client can be told to leave the assignment as it is. */
  readonly supportsSkippingAssignment: boolean;
}

/** What `GroupWrite.token` is. A later write of a group holds all that an earlier one does. */
export class WriteToken {
  /** A group read back after a failover does not take its predecessor's tokens for its own. */
  readonly owner: object;
  /** Ascending from 1. */
  readonly sequence: number;

  constructor(owner: object, sequence: number) {
    this.owner = owner;
    this.sequence = sequence;
  }
}
