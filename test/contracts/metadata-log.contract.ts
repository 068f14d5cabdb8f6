import { beforeEach, describe, expect, test } from "vitest";
import type { ItemStore } from "../../shared/item-store/item-store.ts";
import { ImageState } from "../../shared/metadata/image/image-state.ts";
import { ItemMetadataLog } from "../../shared/metadata/log/item-metadata-log.ts";
import { entryItem, type StoredEntry } from "../../shared/metadata/log/items/entry-item.ts";
import type { MetadataLog } from "../../shared/metadata/log/metadata-log.ts";
import { SnapshotStore } from "../../shared/metadata/log/snapshot-store.ts";
import { MemoryObjectStore } from "../../shared/object-store/memory-object-store.ts";
import { randomUuid, systemRandom } from "../../shared/ports/random.ts";
import { systemTimers } from "../../shared/ports/timers.ts";

/** What the metadata log must do on every item store. */
export function metadataLogContract(name: string, open: () => Promise<ItemStore>): void {
  describe(`metadata log on ${name}`, () => {
    let store: ItemStore;
    let cell: string;
    let log: MetadataLog;
    let tests = 0;

    beforeEach(async () => {
      store ??= await open();
      cell = `cell-${process.pid}-${++tests}`;
      log = openLog();
    });

    const openLog = () => new ItemMetadataLog({ log: cell, store, timers: systemTimers, random: systemRandom });
    const entry = (seq: number, text = `entry ${seq}`): StoredEntry => ({
      seq,
      id: randomUuid(systemRandom),
      bytes: Buffer.from(text),
    });

    test("an empty log has tail 0 and nothing to read", async () => {
      expect(await log.checkTail(0)).toEqual({ kind: "tail", seq: 0, sealed: false });
      expect(await log.readNext(1)).toEqual({ kind: "entries", entries: [], more: false, sealed: false });
    });

    test("entries are read in the order in which they were appended", async () => {
      await appendAll(3);
      expect(await textsFrom(1)).toEqual(["entry 1", "entry 2", "entry 3"]);
      expect(await textsFrom(3)).toEqual(["entry 3"]);
      expect(await textsFrom(4)).toEqual([]);
      expect(await log.checkTail(0)).toEqual({ kind: "tail", seq: 3, sealed: false });
      expect(await log.checkTail(3)).toEqual({ kind: "tail", seq: 3, sealed: false });
    });

    test("a second entry for a number collides, and is told all that won", async () => {
      await appendAll(3);
      const result = await openLog().append(entry(2, "late"));
      expect(result.kind === "conflict" && result.entries.map(textOf)).toEqual(["entry 2", "entry 3"]);
      expect(await textsFrom(1)).toEqual(["entry 1", "entry 2", "entry 3"]);
    });

    test("the same entry appended again is done: an outcome that was unknown is settled so", async () => {
      const first = entry(1);
      expect(await log.append(first)).toEqual({ kind: "appended" });
      expect(await openLog().append(first)).toEqual({ kind: "appended" });
      expect(await textsFrom(1)).toEqual(["entry 1"]);
    });

    test("of many writers at once, exactly one wins each number", async () => {
      const outcomes = await Promise.all(Array.from({ length: 6 }, (_, writer) => race(writer, 4)));
      const read = await textsFrom(1);
      expect(read).toHaveLength(24);
      expect(new Set(read).size).toBe(24);
      // What each writer appended stands in its own order.
      for (const [writer, texts] of outcomes.entries()) {
        expect(read.filter((text) => text.startsWith(`writer ${writer} `))).toEqual(texts);
      }
    });

    test("a log longer than a page is read whole", async () => {
      await appendAll(450);
      expect(await textsFrom(1)).toHaveLength(450);
      expect(await log.checkTail(0)).toEqual({ kind: "tail", seq: 450, sealed: false });
    });

    test("trims only below a verified snapshot", async () => {
      await appendAll(10);
      expect(await log.trim(5)).toEqual({ kind: "not-covered" });
      await snapshotAt(5);
      expect(await log.trim(5)).toEqual({ kind: "not-covered" });
      expect(await log.trim(4)).toEqual({ kind: "done", trimmed: 4, deleted: 4, more: false });
      expect(await log.readNext(4)).toEqual({ kind: "trimmed", trimmed: 4 });
      expect(await log.readNext(1)).toEqual({ kind: "trimmed", trimmed: 4 });
      expect(await textsFrom(5)).toHaveLength(6);
      expect(await log.trim(3)).toEqual({ kind: "done", trimmed: 4, deleted: 0, more: false });
    });

    test("an entry that falls into a trimmed hole fails, and its phantom is dropped", async () => {
      await appendAll(10);
      await snapshotAt(9);
      await log.trim(6);
      expect(await openLog().append(entry(4, "phantom"))).toEqual({ kind: "trimmed", trimmed: 6 });
      expect(await store.get({ partition: cell, sort: 4 })).toEqual({ kind: "absent" });
      expect(await textsFrom(7)).toEqual(["entry 7", "entry 8", "entry 9", "entry 10"]);
    });

    test("a phantom that another writer left is neither read nor a winner", async () => {
      await appendAll(10);
      await snapshotAt(9);
      await log.trim(6);
      await store.put(entryItem(cell, entry(4, "phantom")), { kind: "absent" });
      expect(await log.readNext(4)).toEqual({ kind: "trimmed", trimmed: 6 });
      expect(await log.append(entry(4, "late"))).toEqual({ kind: "trimmed", trimmed: 6 });
      expect(await log.trim(6)).toMatchObject({ deleted: 1 });
    });

    test("a hole that no trim explains stops the reader", async () => {
      await appendAll(5);
      await store.delete({ partition: cell, sort: 3 }, { kind: "none" });
      expect(await textsFrom(1, 1)).toEqual(["entry 1", "entry 2"]);
      expect((await log.readNext(3)).kind).toBe("corrupt");
    });

    test("an item that is no entry stops the reader", async () => {
      await appendAll(1);
      await store.put({ partition: cell, sort: 2, attributes: { kind: "other" } }, { kind: "absent" });
      expect((await log.readNext(1)).kind).toBe("corrupt");
    });

    test("after the seal nothing is appended, and every reader learns it", async () => {
      await appendAll(3);
      expect(await log.seal(0)).toEqual({ kind: "sealed", tail: 3 });
      expect(await openLog().seal(2)).toEqual({ kind: "sealed", tail: 3 });
      expect(await openLog().append(entry(4))).toEqual({ kind: "sealed" });
      expect(await openLog().append(entry(3, "late"))).toMatchObject({ kind: "conflict" });
      expect(await log.checkTail(1)).toEqual({ kind: "tail", seq: 3, sealed: true });
      expect(await log.readNext(4)).toEqual({ kind: "entries", entries: [], more: false, sealed: true });
    });

    async function appendAll(count: number): Promise<void> {
      for (let seq = 1; seq <= count; seq++) {
        expect(await log.append(entry(seq))).toEqual({ kind: "appended" });
      }
    }

    /** Appends `count` entries at whatever the tail is; returns their texts. */
    async function race(writer: number, count: number): Promise<readonly string[]> {
      const own = openLog();
      const texts: string[] = [];
      for (let seq = 1; texts.length < count; ) {
        const text = `writer ${writer} #${texts.length}`;
        const result = await own.append(entry(seq, text));
        if (result.kind === "appended") {
          texts.push(text);
          seq++;
        } else if (result.kind === "conflict") {
          seq += result.entries.length;
        } else {
          throw new Error(result.kind);
        }
      }
      return texts;
    }

    async function textsFrom(from: number, pages = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
      const texts: string[] = [];
      for (let page = 0; page < pages; page++) {
        const read = await log.readNext(from + texts.length);
        if (read.kind !== "entries") {
          throw new Error(read.kind);
        }
        texts.push(...read.entries.map(textOf));
        if (!read.more) {
          break;
        }
      }
      return texts;
    }

    async function snapshotAt(seq: number): Promise<void> {
      const objects = new MemoryObjectStore();
      const options = { log: cell, items: store, objects, timers: systemTimers, random: systemRandom };
      const state = ImageState.empty(cell);
      state.seq = seq;
      expect(await new SnapshotStore(options).write(state)).toMatchObject({ kind: "written", seq });
    }
  });
}

function textOf(entry: StoredEntry): string {
  return entry.bytes.toString();
}
