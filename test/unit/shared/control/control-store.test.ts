import { expect, test } from "vitest";
import { ControlStore, ControlUnavailableError } from "../../../../shared/control/control-store.ts";
import { type WorkItem, work, workKind } from "../../../../shared/control/items/work-item.ts";
import type { ItemStore, WriteResult } from "../../../../shared/item-store/item-store.ts";
import { MemoryItemStore } from "../../../../shared/item-store/memory-item-store.ts";
import { seededRandom } from "../metadata/log/seeded-random.ts";
import { VirtualTime } from "../metadata/log/virtual-time.ts";

const value = (markedMs: number): WorkItem => ({
  type: "cluster",
  organization: "org-a",
  id: "lkc-a23",
  dueMs: 0,
  markedMs,
});
const id = workKind.idOf(value(0));

/** `puts`: what becomes of the next writes: the answer of the store, or `lost` (done, unanswered) or `dropped`. */
function setUp(...puts: readonly ("fine" | "lost" | "dropped" | "throttled")[]) {
  const time = new VirtualTime(true);
  const items = new MemoryItemStore<string>();
  const next = [...puts];
  const write = async (done: () => Promise<WriteResult>): Promise<WriteResult> => {
    switch (next.shift() ?? "fine") {
      case "fine":
        return done();
      case "lost":
        await done();
        return { kind: "unknown", message: "lost" };
      case "dropped":
        return { kind: "unknown", message: "dropped" };
      case "throttled":
        return { kind: "throttled", message: "throttled" };
    }
  };
  const way: ItemStore<string> = {
    get: (key) => items.get(key),
    query: (range) => items.query(range),
    put: (item, condition) => write(() => items.put(item, condition)),
    delete: (key, condition) => write(() => items.delete(key, condition)),
  };
  return { time, store: new ControlStore(way, { timers: time, random: seededRandom(1) }) };
}

test("a write of which nobody said what became of it is settled", async () => {
  for (const fate of ["lost", "dropped", "throttled"] as const) {
    const { time, store } = setUp(fate);
    expect((await time.until(store.create(workKind, value(1)))).kind, fate).toBe("done");
    const read = await time.until(store.get(workKind, work, id));
    expect(read?.value).toEqual(value(1));
  }
});

test("whoever was overtaken is told, also when an object was deleted and made again meanwhile", async () => {
  const { time, store } = setUp();
  await time.until(store.create(workKind, value(1)));
  expect((await time.until(store.create(workKind, value(2)))).kind).toBe("conflict");
  const read = await time.until(store.get(workKind, work, id));
  const again = await time.until(store.get(workKind, work, id));
  expect(await time.until(store.remove(workKind, read!))).toBe("done");
  await time.until(store.create(workKind, value(1)));
  expect((await time.until(store.replace(workKind, again!, value(3)))).kind).toBe("conflict");
  expect(await time.until(store.remove(workKind, again!))).toBe("conflict");
});

test("a table that does not answer ends the call as such", async () => {
  const { time, store } = setUp(...Array.from({ length: 10 }, () => "dropped" as const));
  await expect(time.until(store.create(workKind, value(1)))).rejects.toThrow(ControlUnavailableError);
});
