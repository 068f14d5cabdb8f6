import { beforeEach, describe, expect, test } from "vitest";
import type { Item, ItemStore, SortKey, WriteResult } from "../../shared/item-store/item-store.ts";

/** Sort keys for whole numbers, in the same order. */
export interface SortKeys<Sort extends SortKey> {
  of(number: number): Sort;
  numberOf(sort: Sort): number;
  /** Names of the table's key attributes, which no other attribute may have. */
  readonly reserved: readonly string[];
}

/** What every item store must do. `open` gives a store that may hold items of other tests, under other partitions. */
export function itemStoreContract<Sort extends SortKey>(
  name: string,
  open: () => Promise<ItemStore<Sort>>,
  keys: SortKeys<Sort>,
): void {
  describe(`item store: ${name}`, () => {
    let store: ItemStore<Sort>;
    let partition: string;
    let tests = 0;

    beforeEach(async () => {
      store ??= await open();
      partition = `${name}-${process.pid}-${++tests}`;
    });

    const item = (sort: number, attributes: Item["attributes"] = { value: sort }): Item<Sort> => ({
      partition,
      sort: keys.of(sort),
      attributes,
    });
    const keyOf = (sort: number) => ({ partition, sort: keys.of(sort) });

    test("keeps every type of attribute as it was", async () => {
      const attributes = {
        text: "Grüße, κόσμε",
        empty: "",
        whole: -12,
        large: Number.MAX_SAFE_INTEGER,
        fraction: 0.1,
        yes: true,
        no: false,
        bytes: Buffer.from([0, 1, 254, 255]),
      };
      expect(await store.put(item(1, attributes), { kind: "none" })).toEqual({ kind: "done" });
      const found = await store.get(keyOf(1));
      expect(found.kind).toBe("found");
      if (found.kind === "found") {
        const { bytes, ...others } = found.item.attributes;
        expect({ ...others, bytes: Buffer.from(bytes as Uint8Array) }).toEqual(attributes);
        expect([found.item.partition, found.item.sort]).toEqual([partition, keys.of(1)]);
      }
    });

    test("answers absent for an item that is not there", async () => {
      expect(await store.get(keyOf(7))).toEqual({ kind: "absent" });
    });

    test("puts under `absent` once", async () => {
      expect(await store.put(item(1, { a: 1 }), { kind: "absent" })).toEqual({ kind: "done" });
      expect(await store.put(item(1, { a: 2 }), { kind: "absent" })).toEqual({ kind: "conflict" });
      expect(await value(1, "a")).toBe(1);
    });

    test("of many puts under `absent` made at once, one is done", async () => {
      const puts = Array.from({ length: 10 }, (_, a) => store.put(item(1, { a }), { kind: "absent" }));
      const kinds = (await Promise.all(puts)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "done")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "conflict")).toHaveLength(9);
      expect(await value(1, "a")).toBe(kinds.indexOf("done"));
    });

    test("replaces the whole item", async () => {
      await store.put(item(1, { a: 1, b: 2 }), { kind: "none" });
      await store.put(item(1, { c: 3 }), { kind: "none" });
      const found = await store.get(keyOf(1));
      expect(found.kind === "found" && found.item.attributes).toEqual({ c: 3 });
    });

    test("puts under `equals` only over an item with that value", async () => {
      const under = (old: string | number) => ({ kind: "equals", attribute: "a", value: old }) as const;
      expect(await store.put(item(1, { a: 2 }), under(1))).toEqual({ kind: "conflict" });
      await store.put(item(1, { a: 1 }), { kind: "none" });
      expect(await store.put(item(1, { a: "1" }), under("1"))).toEqual({ kind: "conflict" });
      expect(await store.put(item(1, { b: 1 }), under(1))).toEqual({ kind: "done" });
      expect(await store.put(item(1, { a: 2 }), under(1))).toEqual({ kind: "conflict" });
    });

    test("deletes, and what is absent counts as deleted", async () => {
      const key = keyOf(1);
      const under = { kind: "equals", attribute: "a", value: "x" } as const;
      expect(await store.delete(key, { kind: "none" })).toEqual({ kind: "done" });
      expect(await store.delete(key, under)).toEqual({ kind: "done" });
      await store.put(item(1, { a: "y" }), { kind: "none" });
      expect(await store.delete(key, under)).toEqual({ kind: "conflict" });
      expect(await value(1, "a")).toBe("y");
      await store.put(item(1, { a: "x" }), { kind: "none" });
      expect(await store.delete(key, under)).toEqual({ kind: "done" });
      expect(await store.get(key)).toEqual({ kind: "absent" });
    });

    test("queries one partition in numeric order, from a key on, negative ones first", async () => {
      const sorts = [10, 2, -1, 9, 100, -20, 0];
      for (const sort of sorts) {
        await store.put(item(sort), { kind: "absent" });
      }
      await store.put({ ...item(3), partition: `${partition}-other` }, { kind: "absent" });
      expect(await sortsFrom(-1_000)).toEqual([-20, -1, 0, 2, 9, 10, 100]);
      expect(await sortsFrom(2)).toEqual([2, 9, 10, 100]);
      expect(await sortsFrom(101)).toEqual([]);
    });

    test("pages hold at most what was asked for, and `more` leads to the rest", async () => {
      for (let sort = 1; sort <= 5; sort++) {
        await store.put(item(sort), { kind: "absent" });
      }
      const page = await store.query({ partition, from: keys.of(1), limit: 2 });
      expect(page.kind === "page" && page.items.map(({ sort }) => keys.numberOf(sort))).toEqual([1, 2]);
      expect(page.kind === "page" && page.more).toBe(true);
      expect(await sortsFrom(1, 2)).toEqual([1, 2, 3, 4, 5]);
    });

    test("pages are cut at a megabyte, and never empty while there is more", async () => {
      const bytes = Buffer.alloc(300 * 1024, 7);
      for (let sort = 1; sort <= 5; sort++) {
        await store.put(item(sort, { bytes }), { kind: "absent" });
      }
      const page = await store.query({ partition, from: keys.of(1), limit: 100 });
      expect(page.kind === "page" && page.more && page.items.length).toBeTruthy();
      expect(page.kind === "page" && page.items.length).toBeLessThan(5);
      expect(await sortsFrom(1, 100)).toEqual([1, 2, 3, 4, 5]);
    });

    test("takes an entry of 256 KiB and refuses an item over 400 KiB", async () => {
      const put = (sort: number, size: number): Promise<WriteResult> =>
        store.put(item(sort, { bytes: Buffer.alloc(size, 1) }), { kind: "absent" });
      expect(await put(1, 256 * 1024)).toEqual({ kind: "done" });
      expect((await put(2, 401 * 1024)).kind).toBe("invalid");
      expect(await store.get(keyOf(2))).toEqual({ kind: "absent" });
    });

    test("refuses attributes that are named like the keys", async () => {
      for (const reserved of keys.reserved) {
        expect((await store.put(item(1, { [reserved]: "a" }), { kind: "none" })).kind).toBe("invalid");
      }
    });

    test("reads what was just written, every time", async () => {
      for (let round = 0; round < 20; round++) {
        await store.put(item(1, { round }), { kind: "none" });
        expect(await value(1, "round")).toBe(round);
      }
    });

    async function value(sort: number, attribute: string): Promise<unknown> {
      const found = await store.get(keyOf(sort));
      return found.kind === "found" ? found.item.attributes[attribute] : found.kind;
    }

    async function sortsFrom(from: number, limit = 3): Promise<readonly number[]> {
      const sorts: number[] = [];
      for (let next = from; ; ) {
        const page = await store.query({ partition, from: keys.of(next), limit });
        if (page.kind !== "page") {
          throw new Error(page.message);
        }
        sorts.push(...page.items.map(({ sort }) => keys.numberOf(sort)));
        if (!page.more) {
          return sorts;
        }
        next = (sorts.at(-1) as number) + 1;
      }
    }
  });
}
