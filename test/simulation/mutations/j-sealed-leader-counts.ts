import type { Mutation } from "./mutation.ts";

export const sealedLeaderCounts: Mutation = {
  name: "j-sealed-leader-counts",
  what: "J: a sealed leader goes on counting.",
  rules: { stopsWhenSealed: () => false },
  schedule: {
    brokers: 3,
    meanGapMs: 150,
    batchIntervalMs: 25,
    weights: { "needless-election": 8, "disk-slow": 3, "block-pair": 3, "slow-link": 2, "block-one-way": 1, hiccup: 1 },
  },
};
