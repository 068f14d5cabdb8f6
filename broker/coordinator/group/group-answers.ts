/** The answers that do not depend on a group's state, and what is shared of those that do. */
import type { Effects, GroupError, JoinAnswer, SyncAnswer, Ticket } from "./group-contract.ts";
import { noBytes } from "./group-member.ts";

export const noEffects: Effects = Object.freeze({ answers: Object.freeze([]) });

const noGeneration = -1;
const noMember = "";

/** `memberId`: what the client goes on with; empty makes it ask for a new one. */
export function joinRefused(ticket: Ticket, error: GroupError, memberId: string = noMember): JoinAnswer {
  return {
    kind: "join",
    ticket,
    error,
    memberId,
    generationId: noGeneration,
    protocolType: null,
    protocolName: null,
    leader: noMember,
    skipAssignment: false,
    members: [],
  };
}

export function syncRefused(ticket: Ticket, error: GroupError): SyncAnswer {
  return { kind: "sync", ticket, error, protocolType: null, protocolName: null, assignment: noBytes };
}
