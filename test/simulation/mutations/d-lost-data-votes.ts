import type { Mutation } from "./mutation.ts";

export const lostDataVotes: Mutation = {
  name: "d-lost-data-votes",
  what: "D: a replica whose data may not have survived votes like any other.",
  rules: { mayVote: () => true, dataSurvived: () => true },
};
