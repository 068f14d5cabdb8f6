import type { Mutation } from "./mutation.ts";

export const syncSkipped: Mutation = {
  name: "sync-skipped",
  what: "fdatasync is skipped.",
  skipsSync: true,
  schedule: {
    meanGapMs: 1_500,
    weights: { "power-cut-cell": 2, "power-cut-machine": 2, "kill-process": 1 },
  },
};
