/**
 * A static member comes back under a new id (KIP-345): whoever holds the old one is fenced. While the group is stable and
 * nothing changes for the others, the new id is written, and the member told of it, without a rebalance.
 */
import { consumerProtocolType, subscribeAlike } from "./consumer-subscription.ts";
import type { GroupError, JoinInput, Ticket } from "./group-contract.ts";
import { GroupMember } from "./group-member.ts";
import type { Replacement } from "./group-phase.ts";
import type { RebalanceCycle } from "./rebalance-cycle.ts";

export interface StaticReturn {
  readonly before: GroupMember;
  readonly request: JoinInput;
  readonly ticket: Ticket;
}

export function returnStatic(cycle: RebalanceCycle, { before, request, ticket }: StaticReturn, nowMs: number): void {
  cycle.refuseJoin(before, "FENCED_INSTANCE_ID", before.memberId);
  cycle.refuseSync(before, "FENCED_INSTANCE_ID");
  const after = new GroupMember(request.newMemberId, request, { isNew: before.isNew, isIdKnown: false });
  after.assignment = before.assignment;
  after.owesSync = before.owesSync;
  cycle.members.replace(before, after);
  cycle.members.giveJoinTicket(after, ticket);
  cycle.arm(after, nowMs);
  const { phase } = cycle;
  if (phase.name !== "Stable" || !canStayStable(cycle, before, after)) {
    // A leader may be at work on an assignment for the old id: it has to start again.
    cycle.rebalance(nowMs);
    return;
  }
  // If its last return is not known to be written either, both are undone together.
  const unwritten = phase.replacements.find((replacement) => replacement.after === before);
  phase.replacements = [
    ...phase.replacements.filter((replacement) => replacement !== unwritten),
    {
      token: cycle.persist(),
      before: unwritten?.before ?? before,
      after,
      supportsSkippingAssignment: request.supportsSkippingAssignment,
    },
  ];
}

/** The new id is written. */
export function confirmReturn(cycle: RebalanceCycle, replacement: Replacement, nowMs: number): void {
  const { after, before, supportsSkippingAssignment } = replacement;
  if (!cycle.members.isLeader(after)) cycle.answerJoin(after);
  else if (supportsSkippingAssignment) cycle.answerJoin(after, { skipAssignment: true });
  // A client that would assign as leader is told that another one leads, and gets what is assigned already (KIP-814).
  else cycle.answerJoin(after, { leader: before.memberId });
  cycle.arm(after, nowMs);
}

/** The new id could not be written: the old one holds. */
export function revertReturn(
  cycle: RebalanceCycle,
  { before, after }: Replacement,
  error: GroupError,
  nowMs: number,
): void {
  cycle.refuseJoin(after, error);
  cycle.members.replace(after, before);
  cycle.arm(before, nowMs);
}

/** Metadata may differ (it tells what was owned before): what counts is the protocol, and the topics of a consumer. */
function canStayStable(cycle: RebalanceCycle, before: GroupMember, after: GroupMember): boolean {
  const chosen = cycle.protocolName;
  if (cycle.members.selectProtocol() !== chosen) return false;
  if (cycle.protocolType !== consumerProtocolType) return true;
  return subscribeAlike(before.metadataFor(chosen), after.metadataFor(chosen));
}
