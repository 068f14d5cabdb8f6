import { beforeEach, describe, expect, test } from "vitest";
import type { ObjectStore } from "../../shared/object-store/object-store.ts";

/** What every object store must do. `open` gives a store that may hold objects of other tests, under other prefixes. */
export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`object store: ${name}`, () => {
    let store: ObjectStore;
    let prefix: string;
    let tests = 0;

    beforeEach(async () => {
      store ??= await open();
      prefix = `contract/${process.pid}-${++tests}/`;
    });

    const always = { ifAbsent: false };
    const put = (key: string, text: string) => store.put(`${prefix}${key}`, Buffer.from(text), always);

    test("gives back what was put", async () => {
      const body = Buffer.from([0, 1, 2, 254, 255]);
      expect(await store.put(`${prefix}a/b`, body, always)).toEqual({ kind: "done" });
      expect(await store.get(`${prefix}a/b`)).toEqual({ kind: "found", body, totalBytes: 5 });
    });

    test("keeps an empty object", async () => {
      await put("empty", "");
      expect(await store.get(`${prefix}empty`)).toEqual({ kind: "found", body: Buffer.alloc(0), totalBytes: 0 });
    });

    test("keeps an object of several megabytes", async () => {
      const body = Buffer.alloc(5 * 1024 * 1024 + 3, "balafon ");
      await store.put(`${prefix}large`, body, always);
      const found = await store.get(`${prefix}large`);
      expect(found.kind === "found" && found.body.equals(body)).toBe(true);
    });

    test("answers absent", async () => {
      expect(await store.get(`${prefix}none`)).toEqual({ kind: "absent" });
      expect(await store.get(`${prefix}none`, { start: 0, end: 1 })).toEqual({ kind: "absent" });
      expect(await store.get(`${prefix}none`, { start: 1, end: 1 })).toEqual({ kind: "absent" });
    });

    test("replaces an object", async () => {
      await put("a", "old");
      await put("a", "new one");
      const found = await store.get(`${prefix}a`);
      expect(found.kind === "found" && found.body.toString()).toBe("new one");
    });

    test("puts `ifAbsent` once, and of many at once one wins", async () => {
      const puts = Array.from({ length: 8 }, (_, index) =>
        store.put(`${prefix}once`, Buffer.from(`body ${index}`), { ifAbsent: true }),
      );
      const kinds = (await Promise.all(puts)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "done")).toHaveLength(1);
      expect(kinds.filter((kind) => kind !== "done").every((kind) => kind === "conflict" || kind === "throttled")).toBe(
        true,
      );
      const found = await store.get(`${prefix}once`);
      expect(found.kind === "found" && found.body.toString()).toBe(`body ${kinds.indexOf("done")}`);
      const again = await store.put(`${prefix}once`, Buffer.from("late"), { ifAbsent: true });
      expect(again).toEqual({ kind: "conflict" });
    });

    test("reads ranges, cut at the end of the object", async () => {
      await put("range", "0123456789");
      const read = async (start: number, end: number) => {
        const found = await store.get(`${prefix}range`, { start, end });
        return found.kind === "found" ? [found.body.toString(), found.totalBytes] : found;
      };
      expect(await read(0, 10)).toEqual(["0123456789", 10]);
      expect(await read(3, 5)).toEqual(["34", 10]);
      expect(await read(8, 100)).toEqual(["89", 10]);
      expect(await read(10, 12)).toEqual(["", 10]);
      expect(await read(4, 4)).toEqual(["", 10]);
    });

    test("lists keys under a prefix in the order of their bytes, after a key", async () => {
      const keys = ["b", "a/2", "a/1", "a-b", "a.c/1", "aa", "a/10", "c/d/e"];
      for (const key of keys) {
        await put(key, key);
      }
      const list = async (under: string, after?: string) => {
        const page = await store.list(`${prefix}${under}`, after === undefined ? undefined : `${prefix}${after}`);
        return page.kind === "page" ? page.keys.map((key) => key.slice(prefix.length)) : page;
      };
      const sorted = ["a-b", "a.c/1", "a/1", "a/10", "a/2", "aa", "b", "c/d/e"];
      expect(await list("")).toEqual(sorted);
      expect(await list("a/")).toEqual(["a/1", "a/10", "a/2"]);
      expect(await list("a")).toEqual(sorted.slice(0, 6));
      expect(await list("", "a/1")).toEqual(sorted.slice(3));
      expect(await list("", "a/")).toEqual(sorted.slice(2));
      expect(await list("none")).toEqual([]);
    });

    test("deletes, and what is absent counts as deleted", async () => {
      await put("gone", "x");
      expect(await store.delete(`${prefix}gone`)).toEqual({ kind: "done" });
      expect(await store.get(`${prefix}gone`)).toEqual({ kind: "absent" });
      expect(await store.delete(`${prefix}gone`)).toEqual({ kind: "done" });
      expect(await store.delete(`${prefix}no/such/folder`)).toEqual({ kind: "done" });
    });

    test("refuses keys that a file system would take for something else", async () => {
      for (const key of ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "a\0b", "x".repeat(2_000)]) {
        expect([key, (await store.put(key, Buffer.from("x"), always)).kind]).toEqual([key, "invalid"]);
      }
    });
  });
}
