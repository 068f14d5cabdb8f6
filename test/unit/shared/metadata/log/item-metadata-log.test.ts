import { describe, expect, test } from "vitest";
import type { ItemStore } from "../../../../../shared/item-store/item-store.ts";
import { callTimeoutMs } from "../../../../../shared/item-store/limits.ts";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import { TimedItemStore } from "../../../../../shared/item-store/timed-item-store.ts";
import { ItemMetadataLog } from "../../../../../shared/metadata/log/item-metadata-log.ts";
import type { StoredEntry } from "../../../../../shared/metadata/log/items/entry-item.ts";
import { appendAttemptsMax, backoffMaxMs } from "../../../../../shared/metadata/log/limits.ts";
import { type Fate, FaultyItemStore, never } from "./faulty-item-store.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-time.ts";

function setUp() {
  const time = new VirtualTime();
  const random = seededRandom(1);
  const table = new MemoryItemStore();
  const way = new FaultyItemStore(table, time, random);
  way.lateMsMin = 8_000;
  const openOn = (store: ItemStore) =>
    new ItemMetadataLog({
      log: "cell-1",
      store: new TimedItemStore(store, time, callTimeoutMs),
      timers: time,
      random,
    });
  return { time, table, way, openOn, log: openOn(way) };
}

function entry(seq: number, id = `id-${seq}`): StoredEntry {
  return { seq, id, bytes: Buffer.from(id) };
}

describe("an append whose put fails", () => {
  const giveUp: readonly Fate[] = ["throttled", "throttled", "throttled", "throttled"];
  const cases: readonly { readonly fates: readonly Fate[]; readonly result: string; readonly inLog: boolean }[] = [
    { fates: [], result: "appended", inLog: true },
    { fates: ["throttled", "unavailable"], result: "appended", inLog: true },
    { fates: ["done-unknown"], result: "appended", inLog: true },
    { fates: ["done-silent"], result: "appended", inLog: true },
    { fates: ["lost-unknown"], result: "appended", inLog: true },
    { fates: ["lost-silent", "done-silent"], result: "appended", inLog: true },
    { fates: ["late-unknown"], result: "appended", inLog: true },
    { fates: ["throttled", ...giveUp], result: "unavailable", inLog: false },
    // Once a put may have arrived, later refusals do not make it undone.
    { fates: ["late-unknown", ...giveUp], result: "unknown", inLog: true },
    { fates: ["lost-unknown", ...giveUp], result: "unknown", inLog: false },
    {
      fates: ["lost-silent", "lost-silent", "lost-silent", "lost-silent", "lost-silent"],
      result: "unknown",
      inLog: false,
    },
  ];
  for (const { fates, result, inLog } of cases) {
    test(`${fates.join(", ") || "not at all"}: ${result}`, async () => {
      const { time, table, way, log } = setUp();
      way.nextWrites.push(...fates);

      expect((await time.until(log.append(entry(1)))).kind).toBe(result);

      await time.pass(20_000);
      const found = await table.get({ partition: "cell-1", sort: 1 });
      expect(found.kind).toBe(inLog ? "found" : "absent");
    });
  }

  test("a put that arrives late, after another writer has won, changes nothing", async () => {
    const { time, table, way, log, openOn } = setUp();
    way.nextWrites.push("late-unknown", ...giveUp);
    expect((await time.until(log.append(entry(1, "late")))).kind).toBe("unknown");

    expect(await openOn(table).append(entry(1, "winner"))).toEqual({ kind: "appended" });
    await time.pass(20_000);

    const read = await time.until(log.readNext(1));
    expect(read.kind === "entries" && read.entries.map(({ id }) => id)).toEqual(["winner"]);
    expect(await time.until(log.append(entry(1, "late")))).toMatchObject({ kind: "conflict" });
  });
});

describe("a store that accepts calls and never answers", () => {
  const silent: ItemStore = { get: () => never, query: () => never, put: () => never, delete: () => never };

  test("ends every call of the log in bounded time", async () => {
    const { time, openOn } = setUp();
    const log = openOn(silent);
    // Each attempt of an append is a put and, since its outcome is unknown, a read with its own attempts.
    const boundMs = appendAttemptsMax * (backoffMaxMs + 4 * (callTimeoutMs + backoffMaxMs));
    expect((await time.until(log.append(entry(1)), boundMs)).kind).toBe("unknown");
    expect((await time.until(log.readNext(1), boundMs)).kind).toBe("unavailable");
    expect((await time.until(log.checkTail(0), boundMs)).kind).toBe("unavailable");
    expect((await time.until(log.trim(1), boundMs)).kind).toBe("unavailable");
    expect((await time.until(log.seal(0), boundMs)).kind).toBe("unavailable");
  });

  test("an entry that stands, while the trim cannot be read, is not acted on", async () => {
    const { time, table, openOn } = setUp();
    const log = openOn({ ...silent, put: (item, condition) => table.put(item, condition) });
    expect((await time.until(log.append(entry(1)))).kind).toBe("unknown");
  });
});
