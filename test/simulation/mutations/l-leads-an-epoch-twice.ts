import type { Mutation } from "./mutation.ts";

export const leadsAnEpochTwice: Mutation = {
  name: "l-leads-an-epoch-twice",
  what: "L: a leader that restarted resumes its epoch.",
  rules: { mayTakeOffice: (state) => state.acceptedEpoch <= state.epoch && !state.lost },
};
