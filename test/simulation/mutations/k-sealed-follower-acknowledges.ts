import type { Mutation } from "./mutation.ts";

export const sealedFollowerAcknowledges: Mutation = {
  name: "k-sealed-follower-acknowledges",
  what: "K: a sealed follower acknowledges writes that end after the seal.",
  rules: { mayAcknowledge: (state) => state.reconciled },
};
