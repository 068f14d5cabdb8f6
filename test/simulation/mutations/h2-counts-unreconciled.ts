import type { Mutation } from "./mutation.ts";

export const countsUnreconciled: Mutation = {
  name: "h2-counts-unreconciled",
  what: "H2: a new leader counts what followers held before they were reconciled.",
  rules: { heldWhenAttached: (before) => ({ heldOffset: before, forceAccepted: true }) },
};
