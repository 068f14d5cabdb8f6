import type { Mutation } from "./mutation.ts";

export const servesTooEarly: Mutation = {
  name: "h1-serves-too-early",
  what: "H1: a new leader serves reads at its old high watermark.",
  rules: { mayServe: () => true },
};
