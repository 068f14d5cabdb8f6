import type { Mutation } from "./mutation.ts";

/**
 * The newest record is a promise too, so the bug shows only between the answers and the record that they lead to. Looks for
 * a leader that the controller cannot reach, and that commits with a follower in this time what the next leader lacks.
 */
export const doesNotSeal: Mutation = {
  name: "c-does-not-seal",
  what: "C: a sealed replica promises nothing.",
  rules: { promiseWhenSealed: (promisedEpoch) => promisedEpoch },
  schedule: {
    brokers: 3,
    meanGapMs: 400,
    faultsMs: 15_000,
    batchIntervalMs: 120,
    weights: { "controller-loses-leader": 3, "needless-election": 4, "slow-link": 3, "kill-process": 0.4 },
  },
};
