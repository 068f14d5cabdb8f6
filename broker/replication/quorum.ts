/** Majorities, single and joint: pure arithmetic over sets of broker ids (DESIGN section 5, Commit and Membership). */
import type { BrokerId } from "../../shared/metadata/records/record.ts";
import type { Offset } from "../log/log-contract.ts";

/** Whose acknowledgements commit and whose seal answers elect. While `outgoing` is not empty, both sets must agree. */
export interface QuorumSets {
  readonly voters: readonly BrokerId[];
  readonly outgoing: readonly BrokerId[];
}

/** Smallest number of members of which any two groups overlap. */
export function majority(members: number): number {
  return Math.floor(members / 2) + 1;
}

/** How many voters must hold an offset: a majority, or min.insync.replicas if that is more (never more than there are). */
export function commitCount(voters: number, minInsyncReplicas: number): number {
  return Math.max(majority(voters), Math.min(minInsyncReplicas, voters));
}

/** Is this a majority of the voters and, during a joint change, of the outgoing replicas as well? */
export function isQuorum(sets: QuorumSets, answered: (broker: BrokerId) => boolean): boolean {
  return holdsMajority(sets.voters, answered) && (sets.outgoing.length === 0 || holdsMajority(sets.outgoing, answered));
}

function holdsMajority(members: readonly BrokerId[], answered: (broker: BrokerId) => boolean): boolean {
  let count = 0;
  for (const member of members) if (answered(member)) count++;
  return count >= majority(members.length);
}

/** The largest offset that enough replicas hold; -1 when too few hold anything. `held` answers -1 for "does not count". */
export function committedOffset(
  sets: QuorumSets,
  held: (broker: BrokerId) => Offset,
  minInsyncReplicas: number,
): Offset {
  const byVoters = nthLargest(sets.voters, held, commitCount(sets.voters.length, minInsyncReplicas));
  if (sets.outgoing.length === 0) return byVoters;
  return Math.min(byVoters, nthLargest(sets.outgoing, held, majority(sets.outgoing.length)));
}

function nthLargest(members: readonly BrokerId[], held: (broker: BrokerId) => Offset, nth: number): Offset {
  // The sets have 1 to 5 members: an insertion sort of a few numbers beats anything cleverer.
  const offsets: Offset[] = [];
  for (const member of members) {
    const offset = held(member);
    let place = offsets.length;
    while (place > 0 && (offsets[place - 1] ?? 0) < offset) place--;
    offsets.splice(place, 0, offset);
  }
  return offsets[nth - 1] ?? -1;
}
