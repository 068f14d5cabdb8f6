import type { Mutation } from "./mutation.ts";

/**
 * Looks for a write of a follower that is under way when it is sealed, of what only the leader has besides: the controller,
 * itself a voter, loses the leader and falls behind, elects itself or an equal from the sealed answers, and the write ends
 * before the new leader takes over. Needs disks on which a batch takes longer than a promise, and a leader out of reach.
 */
export const sealedFollowerAcknowledges: Mutation = {
  name: "k-sealed-follower-acknowledges",
  what: "K: a sealed follower acknowledges writes that end after the seal.",
  rules: { mayAcknowledge: (state) => state.reconciled },
  schedule: {
    brokers: 3,
    meanGapMs: 400,
    faultsMs: 25_000,
    batchIntervalMs: 250,
    weights: { "controller-loses-leader": 3, "disk-slow": 3.5, "store-slow": 1, "kill-process": 0.4 },
  },
};
