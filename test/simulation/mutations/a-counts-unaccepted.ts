import type { Mutation } from "./mutation.ts";

export const countsUnaccepted: Mutation = {
  name: "a-counts-unaccepted",
  what: "A: a commit counts replicas that have not accepted the leader's epoch.",
  rules: { countsForCommit: (ack) => ack.votes },
  schedule: {
    brokers: 3,
    meanGapMs: 200,
    batchIntervalMs: 20,
    weights: {
      "kill-fresh-leader": 4,
      "needless-election": 4,
      "isolate-machine": 3,
      "kill-process": 2,
      "slow-link": 2,
      "disk-slow": 1,
    },
  },
};
