import { describe, expect, test } from "vitest";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import { replayUnnumbered } from "../../../../../shared/metadata/image/replay.ts";
import { encodeSnapshot } from "../../../../../shared/metadata/image/snapshot.ts";
import { snapshotPointerItem } from "../../../../../shared/metadata/log/items/snapshot-pointer-item.ts";
import { SnapshotStore } from "../../../../../shared/metadata/log/snapshot-store.ts";
import { objectCallTimeoutMs } from "../../../../../shared/object-store/limits.ts";
import { MemoryObjectStore } from "../../../../../shared/object-store/memory-object-store.ts";
import type { ObjectStore } from "../../../../../shared/object-store/object-store.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-time.ts";

const cell = "cell-1";

function setUp(change: (objects: MemoryObjectStore) => Partial<ObjectStore> = () => ({})) {
  const time = new VirtualTime();
  const items = new MemoryItemStore();
  const inner = new MemoryObjectStore();
  const objects: ObjectStore = {
    put: (key, body, options) => inner.put(key, body, options),
    get: (key, range) => inner.get(key, range),
    list: (prefix, after) => inner.list(prefix, after),
    delete: (key) => inner.delete(key),
    ...change(inner),
  };
  const store = new SnapshotStore({ log: cell, items, objects, timers: time, random: seededRandom(3) });
  return { time, items, inner, store };
}

function imageAt(seq: number, topics = 3): ImageState {
  const state = ImageState.empty(cell);
  for (let index = 0; index < topics; index++) {
    const topicId = index.toString(16).padStart(32, "0");
    replayUnnumbered(state, [
      { type: "topic-upserted", topicId, lkc: "lkc-first", name: `topic-${index}`, createdMs: 1, configs: {} },
    ]);
  }
  state.seq = seq;
  return state;
}

async function keysOf(objects: MemoryObjectStore): Promise<readonly string[]> {
  const page = await objects.list("");
  return page.kind === "page" ? page.keys : [];
}

describe("the snapshot store", () => {
  test("gives back what was written, also when it takes many turns and the image goes on meanwhile", async () => {
    const { time, store, inner } = setUp();
    const image = imageAt(7, 1_000);
    const before = encodeSnapshot(image);
    const writing = store.write(image);
    replayUnnumbered(image, [{ type: "logical-cluster-deleted", lkc: "lkc-first" }]);
    image.seq = 8;
    expect(await time.until(writing)).toEqual({ kind: "written", seq: 7, bytes: before.length });

    const [key = ""] = await keysOf(inner);
    const found = await inner.get(key);
    expect(found.kind === "found" && found.body.equals(before)).toBe(true);
    const loaded = await time.until(store.load());
    expect(loaded.kind === "loaded" && encodeSnapshot(loaded.state).equals(before)).toBe(true);
  });

  test("the pointer never goes back", async () => {
    const { time, store } = setUp();
    await time.until(store.write(imageAt(9)));
    expect(await time.until(store.write(imageAt(5)))).toMatchObject({ kind: "written", seq: 9 });
    expect(await time.until(store.pointer())).toMatchObject({ kind: "pointer", pointer: { seq: 9 } });
  });

  test("of writers at once the newest stays", async () => {
    const { time, store } = setUp();
    const results = await time.until(Promise.all([3, 9, 6].map((seq) => store.write(imageAt(seq)))));
    expect(results.every(({ kind }) => kind === "written" || kind === "unavailable")).toBe(true);
    expect(await time.until(store.pointer())).toMatchObject({ pointer: { seq: 9 } });
    expect(await time.until(store.load())).toMatchObject({ kind: "loaded", state: { seq: 9 } });
  });

  test("a load whose first answer is lost asks again in seconds, and takes the first answer", async () => {
    let reads = 0;
    const { time, store } = setUp((inner) => ({
      get: (key) => {
        reads += 1;
        // The write reads back first; then the load asks twice.
        return reads === 2 ? new Promise(() => undefined) : inner.get(key);
      },
    }));
    await time.until(store.write(imageAt(4)));
    const startedMs = time.monotonicMs();
    expect(await time.until(store.load())).toMatchObject({ kind: "loaded", state: { seq: 4 } });
    expect(reads).toBe(3);
    expect(time.monotonicMs() - startedMs).toBeLessThan(objectCallTimeoutMs / 10);
  });

  test("a failure of a repeated read does not give up the answer that is still under way", async () => {
    let reads = 0;
    const late = Promise.withResolvers<void>();
    const { time, store } = setUp((inner) => ({
      get: async (key) => {
        reads += 1;
        if (reads === 3) late.resolve();
        if (reads === 3) return { kind: "unavailable", message: "not now" };
        if (reads === 2) await late.promise;
        return inner.get(key);
      },
    }));
    await time.until(store.write(imageAt(4)));
    expect(await time.until(store.load())).toMatchObject({ kind: "loaded", state: { seq: 4 } });
    expect(reads).toBe(3);
  });

  test("what comes back changed, or not at all, is never pointed to", async () => {
    const damaged = setUp((inner) => ({
      get: async (key) => {
        const found = await inner.get(key);
        if (found.kind === "found") {
          found.body.writeUInt8(found.body.readUInt8(60) ^ 1, 60);
        }
        return found;
      },
    }));
    expect((await damaged.time.until(damaged.store.write(imageAt(1)))).kind).toBe("corrupt");
    expect(await damaged.time.until(damaged.store.load())).toEqual({ kind: "none" });

    const lost = setUp(() => ({ put: async () => ({ kind: "unknown", message: "no answer" }) }));
    expect((await lost.time.until(lost.store.write(imageAt(1)))).kind).toBe("unavailable");
    expect(await lost.time.until(lost.store.load())).toEqual({ kind: "none" });
  });

  test("a put whose answer was lost counts when it is read back", async () => {
    const { time, store } = setUp((inner) => ({
      put: async (key, body, options) => {
        await inner.put(key, body, options);
        return { kind: "unknown", message: "no answer" };
      },
    }));
    expect((await time.until(store.write(imageAt(1)))).kind).toBe("written");
  });

  test("a load whose snapshot is swept meanwhile takes the newer one", async () => {
    let sweeps = 1;
    const world = setUp((inner) => ({
      get: async (key) => {
        if (sweeps-- > 0) {
          await inner.delete(key);
          await newer.write(imageAt(9));
        }
        return inner.get(key);
      },
    }));
    const { time, items, inner } = world;
    const newer = new SnapshotStore({ log: cell, items, objects: inner, timers: time, random: seededRandom(4) });
    await time.until(newer.write(imageAt(5)));
    expect(await time.until(world.store.load())).toMatchObject({ kind: "loaded", state: { seq: 9 } });
  });

  test("a pointer to nothing, to another snapshot, or malformed, is told", async () => {
    const { time, store, items, inner } = setUp();
    const point = (pointer: { seq: number; objectKey: string; sha256: string }) =>
      items.put(snapshotPointerItem(cell, pointer), { kind: "none" });
    await point({ seq: 3, objectKey: "metadata/none", sha256: "00" });
    expect((await time.until(store.load())).kind).toBe("unavailable");
    const bytes = encodeSnapshot(imageAt(3));
    await inner.put("metadata/other", bytes, { ifAbsent: false });
    await point({ seq: 3, objectKey: "metadata/other", sha256: "00" });
    expect((await time.until(store.load())).kind).toBe("corrupt");
    await point({ seq: 4, objectKey: "metadata/other", sha256: bytes.subarray(4, 36).toString("hex") });
    expect((await time.until(store.load())).kind).toBe("corrupt");
    await items.put({ partition: cell, sort: -2, attributes: {} }, { kind: "none" });
    expect((await time.until(store.load())).kind).toBe("corrupt");
  });
});
