import type { Mutation } from "./mutation.ts";

export const keepsRefusals: Mutation = {
  name: "q-keeps-refusals-to-itself",
  what: "Q: a leader that a voter refuses does not report it.",
  rules: { reportsRefusal: () => false },
  schedule: {
    brokers: 3,
    meanGapMs: 150,
    weights: { "needless-election": 5, "kill-process": 2, "block-pair": 1, "store-slow": 1 },
  },
};
