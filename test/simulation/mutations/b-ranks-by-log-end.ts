import type { Mutation } from "./mutation.ts";

export const ranksByLogEnd: Mutation = {
  name: "b-ranks-by-log-end",
  what: "B: the longest log is elected, whatever epoch it accepted.",
  rules: { compareRank: (a, b) => a.endOffset - b.endOffset },
};
