import type { Mutation } from "./mutation.ts";

export const syncSkipped: Mutation = {
  name: "sync-skipped",
  what: "fdatasync is skipped.",
  skipsSync: true,
};
