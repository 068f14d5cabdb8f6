import type { Mutation } from "./mutation.ts";

export const countsBeforeWritten: Mutation = {
  name: "f-counts-before-written",
  what: "F: the leader counts itself before its own write ended.",
  rules: { ownHeldOffset: (log) => log.endOffset },
};
