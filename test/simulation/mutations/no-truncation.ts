import type { Mutation } from "./mutation.ts";

export const noTruncation: Mutation = {
  name: "no-truncation",
  what: "A follower does not cut what departs from the leader's log.",
  rules: { truncationPoint: (_commonEnd, endOffset) => endOffset },
};
