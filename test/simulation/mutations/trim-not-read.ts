import type { ItemKey, ItemStore } from "../../../shared/item-store/item-store.ts";
import type { Mutation } from "./mutation.ts";

const trimSort = -1;

/** A writer that put an entry is told that nothing was ever trimmed: it acts on a put that fell into a trimmed hole. */
function blindToTrim(store: ItemStore): ItemStore {
  let hasJustPut = false;
  return {
    get: async (key: ItemKey) => {
      const isAfterPut = hasJustPut;
      if (key.sort === trimSort) hasJustPut = false;
      return isAfterPut && key.sort === trimSort ? { kind: "absent" } : store.get(key);
    },
    query: (range) => store.query(range),
    put: async (item, condition) => {
      const result = await store.put(item, condition);
      if (item.sort >= 1 && result.kind === "done") hasJustPut = true;
      return result;
    },
    delete: (key, condition) => store.delete(key, condition),
  };
}

export const trimNotRead: Mutation = {
  name: "re-put-below-trim",
  what: "A put is acted on without reading the trim.",
  items: blindToTrim,
  schedule: {
    brokers: 3,
    meanGapMs: 2_000,
    adminGapMs: 120,
    batchIntervalMs: 200,
    faultsMs: 40_000,
    weights: { "pause-controller": 4, "store-slow": 1, "kill-process": 1 },
  },
};
