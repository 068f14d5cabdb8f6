import { afterAll } from "vitest";
import { closeAdapters, itemStoreAdapters } from "./item-store-adapters.ts";
import { metadataLogContract } from "./metadata-log.contract.ts";

afterAll(closeAdapters);

for (const [name, open] of itemStoreAdapters) {
  metadataLogContract(name, open);
}
