import type { Mutation } from "./mutation.ts";

export const sealedLeaderCounts: Mutation = {
  name: "j-sealed-leader-counts",
  what: "J: a sealed leader goes on counting.",
  rules: { stopsWhenSealed: () => false },
};
