import type { Mutation } from "./mutation.ts";

export const acknowledgesForAnyEpoch: Mutation = {
  name: "r-acknowledges-for-any-epoch",
  what: "R: an acknowledgement does not name the epoch of the append that it answers.",
  rules: { mayAcknowledge: () => true },
};
