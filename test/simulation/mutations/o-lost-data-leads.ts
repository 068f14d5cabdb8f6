import type { Mutation } from "./mutation.ts";

export const lostDataLeads: Mutation = {
  name: "o-lost-data-leads",
  what: "O: a replica that lost its data takes office when a record names it.",
  rules: { mayTakeOffice: (state) => state.acceptedEpoch < state.epoch },
  schedule: {
    brokers: 3,
    meanGapMs: 500,
    weights: { "power-cut-machine": 3, "needless-election": 3, "kill-process": 1 },
  },
};
