import type { Mutation } from "./mutation.ts";

/** Every deliberate bug; each is caught by the simulator, switched on alone (mutations.test.ts). */
export const mutations: readonly Mutation[] = [];

export function mutationNamed(name: string): Mutation | undefined {
  return mutations.find((mutation) => mutation.name === name);
}
