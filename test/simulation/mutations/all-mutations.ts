import { countsUnaccepted } from "./a-counts-unaccepted.ts";
import { ranksByLogEnd } from "./b-ranks-by-log-end.ts";
import { doesNotSeal } from "./c-does-not-seal.ts";
import { acknowledgesUncommitted } from "./coordinators/acknowledges-uncommitted.ts";
import { assignsBeforeStored } from "./coordinators/assigns-before-stored.ts";
import { forgetsGenerations } from "./coordinators/forgets-generations.ts";
import { keepsOldState } from "./coordinators/keeps-old-state.ts";
import { loadsTooLittle } from "./coordinators/loads-too-little.ts";
import { readsWithoutLease } from "./coordinators/reads-without-lease.ts";
import { lostDataVotes } from "./d-lost-data-votes.ts";
import { countsBeforeWritten } from "./f-counts-before-written.ts";
import { acceptsTooEarly } from "./g-accepts-too-early.ts";
import { servesTooEarly } from "./h1-serves-too-early.ts";
import { countsUnreconciled } from "./h2-counts-unreconciled.ts";
import { sealedLeaderCounts } from "./j-sealed-leader-counts.ts";
import { sealedFollowerAcknowledges } from "./k-sealed-follower-acknowledges.ts";
import { leadsAnEpochTwice } from "./l-leads-an-epoch-twice.ts";
import type { Mutation } from "./mutation.ts";
import { noTruncation } from "./no-truncation.ts";
import { lostDataLeads } from "./o-lost-data-leads.ts";
import { putWithoutCondition } from "./put-without-condition.ts";
import { keepsRefusals } from "./q-keeps-refusals-to-itself.ts";
import { acknowledgesForAnyEpoch } from "./r-acknowledges-for-any-epoch.ts";
import { leadsWithoutAccepting } from "./s-leads-without-accepting.ts";
import { syncSkipped } from "./sync-skipped.ts";
import { trimNotRead } from "./trim-not-read.ts";

/** Every deliberate bug; each is caught by the simulator, switched on alone (mutations.test.ts). */
export const mutations: readonly Mutation[] = [
  countsUnaccepted,
  ranksByLogEnd,
  doesNotSeal,
  lostDataVotes,
  countsBeforeWritten,
  acceptsTooEarly,
  servesTooEarly,
  countsUnreconciled,
  sealedLeaderCounts,
  sealedFollowerAcknowledges,
  leadsAnEpochTwice,
  lostDataLeads,
  keepsRefusals,
  acknowledgesForAnyEpoch,
  leadsWithoutAccepting,
  noTruncation,
  syncSkipped,
  putWithoutCondition,
  trimNotRead,
  acknowledgesUncommitted,
  assignsBeforeStored,
  forgetsGenerations,
  keepsOldState,
  loadsTooLittle,
  readsWithoutLease,
];

export function mutationNamed(name: string): Mutation | undefined {
  return mutations.find((mutation) => mutation.name === name);
}
