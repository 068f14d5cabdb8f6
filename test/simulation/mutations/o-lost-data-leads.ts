import type { Mutation } from "./mutation.ts";

export const lostDataLeads: Mutation = {
  name: "o-lost-data-leads",
  what: "O: a replica that lost its data takes office when a record names it.",
  rules: { mayTakeOffice: (state) => state.acceptedEpoch < state.epoch },
};
