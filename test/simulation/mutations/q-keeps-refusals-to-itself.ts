import type { Mutation } from "./mutation.ts";

export const keepsRefusals: Mutation = {
  name: "q-keeps-refusals-to-itself",
  what: "Q: a leader that a voter refuses does not report it.",
  rules: { reportsRefusal: () => false },
};
