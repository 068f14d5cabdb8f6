import type { Mutation } from "./mutation.ts";

export const leadsWithoutAccepting: Mutation = {
  name: "s-leads-without-accepting",
  what: "S: a new leader does not write its own accepted epoch.",
  rules: { acceptedOnOffice: (acceptedEpoch) => acceptedEpoch },
};
