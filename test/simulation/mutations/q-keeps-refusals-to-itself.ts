import type { Mutation } from "./mutation.ts";

export const keepsRefusals: Mutation = {
  name: "q-keeps-refusals-to-itself",
  what: "Q: a leader that a voter refuses does not report it.",
  rules: { reportsRefusal: () => false },
  schedule: {
    brokers: 3,
    meanGapMs: 400,
    weights: { "needless-election": 4, "kill-electing-controller": 3, "block-one-way": 2, "slow-link": 2 },
  },
};
