import type { Mutation } from "./mutation.ts";

export const doesNotSeal: Mutation = {
  name: "c-does-not-seal",
  what: "C: a sealed replica promises nothing.",
  rules: { promiseWhenSealed: (promisedEpoch) => promisedEpoch },
};
