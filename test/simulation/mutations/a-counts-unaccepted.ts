import type { Mutation } from "./mutation.ts";

export const countsUnaccepted: Mutation = {
  name: "a-counts-unaccepted",
  what: "A: a commit counts replicas that have not accepted the leader's epoch.",
  rules: { countsForCommit: (ack) => ack.votes },
};
