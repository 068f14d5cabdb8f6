import { afterAll, expect, test } from "vitest";
import { itemStoreContract, type SortKeys } from "./item-store.contract.ts";
import { closeAdapters, itemStoreAdapters, textItemStoreAdapters } from "./item-store-adapters.ts";

afterAll(closeAdapters);

const numbers: SortKeys<number> = { of: (number) => number, numberOf: (sort) => sort, reserved: ["log", "seq"] };

const lowest = 1_000_000;
const texts: SortKeys<string> = {
  of: (number) => `id-${String(number + lowest).padStart(8, "0")}`,
  numberOf: (sort) => Number(sort.slice("id-".length)) - lowest,
  reserved: ["collection", "id"],
};

for (const [name, open] of itemStoreAdapters) {
  itemStoreContract(name, open, numbers);
}

for (const [name, open] of textItemStoreAdapters) {
  itemStoreContract(`${name}, texts`, open, texts);

  test(`item store: ${name}, texts: byte order, and what may be a key`, async () => {
    const store = await open();
    const partition = `${name}-texts`;
    for (const sort of ["b", "a/1", "B", "a", "a!", "~"]) {
      expect(await store.put({ partition, sort, attributes: {} }, { kind: "absent" })).toEqual({ kind: "done" });
    }
    for (const sort of ["", "a b", "ä", "a".repeat(1025)]) {
      expect((await store.put({ partition, sort, attributes: {} }, { kind: "none" })).kind).toBe("invalid");
    }
    const sortsFrom = async (from: string) => {
      const page = await store.query({ partition, from, limit: 10 });
      return page.kind === "page" ? page.items.map(({ sort }) => sort) : page;
    };
    expect(await sortsFrom("!")).toEqual(["B", "a", "a!", "a/1", "b", "~"]);
    // A space is below all that a key may hold: this is how a page goes on after one.
    expect(await sortsFrom("a ")).toEqual(["a!", "a/1", "b", "~"]);
  });
}
