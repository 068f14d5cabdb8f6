import type { Mutation } from "./mutation.ts";

export const sealedFollowerAcknowledges: Mutation = {
  name: "k-sealed-follower-acknowledges",
  what: "K: a sealed follower acknowledges writes that end after the seal.",
  rules: { mayAcknowledge: (state) => state.reconciled },
  schedule: {
    brokers: 3,
    meanGapMs: 200,
    faultsMs: 30_000,
    batchIntervalMs: 80,
    weights: { "needless-election": 8, "disk-slow": 2, "slow-link": 1 },
  },
};
