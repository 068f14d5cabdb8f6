import type { ItemStore } from "../../../shared/item-store/item-store.ts";
import type { Mutation } from "./mutation.ts";

/** Entries of the log are put over whatever stands there. */
function unconditional(store: ItemStore): ItemStore {
  return {
    get: (key) => store.get(key),
    query: (range) => store.query(range),
    put: (item, condition) => store.put(item, item.sort >= 1 ? { kind: "none" } : condition),
    delete: (key, condition) => store.delete(key, condition),
  };
}

export const putWithoutCondition: Mutation = {
  name: "put-without-condition",
  what: "The metadata log is appended to without a condition.",
  items: unconditional,
};
