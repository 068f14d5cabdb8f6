import { afterAll } from "vitest";
import { itemStoreContract } from "./item-store.contract.ts";
import { closeAdapters, itemStoreAdapters } from "./item-store-adapters.ts";

afterAll(closeAdapters);

for (const [name, open] of itemStoreAdapters) {
  itemStoreContract(name, open);
}
