import type { Mutation } from "./mutation.ts";

export const acceptsTooEarly: Mutation = {
  name: "g-accepts-too-early",
  what: "G: a follower accepts an epoch before it holds the leader's log.",
  rules: { mayAccept: () => true },
};
