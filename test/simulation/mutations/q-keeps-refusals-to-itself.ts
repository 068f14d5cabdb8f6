import type { Mutation } from "./mutation.ts";

/**
 * Looks for a controller that seals followers of a leader out of its reach and dies before it elects, so that nobody but
 * the refused leader knows: on a slow link the answer is long under way, or the seal comes when its sender is dead. Any
 * later fault would set that right, so there are few of them before everything heals.
 */
export const keepsRefusals: Mutation = {
  name: "q-keeps-refusals-to-itself",
  what: "Q: a leader that a voter refuses does not report it, and no controller ends what another began.",
  rules: { reportsRefusal: () => false },
  schedule: {
    brokers: 3,
    meanGapMs: 500,
    faultsMs: 5_000,
    batchIntervalMs: 250,
    weights: { "kill-electing-controller": 2, "controller-loses-leader": 2, "slow-link": 3 },
  },
};
