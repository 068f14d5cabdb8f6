import { expect, test } from "vitest";
import { callTimeoutMs } from "../../../../../shared/item-store/limits.ts";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import { TimedItemStore } from "../../../../../shared/item-store/timed-item-store.ts";
import { ItemMetadataLog } from "../../../../../shared/metadata/log/item-metadata-log.ts";
import { TailAppender } from "../../../../../shared/metadata/log/tail-appender.ts";
import { decodeEntry } from "../../../../../shared/metadata/records/entry.ts";
import type { MetadataRecord } from "../../../../../shared/metadata/records/record.ts";
import { FaultyItemStore } from "./faulty-item-store.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-time.ts";

const key = (keyId: string): MetadataRecord => ({ type: "api-key-deleted", keyId });

function setUp(seed = 1) {
  const time = new VirtualTime();
  const table = new MemoryItemStore();
  const open = (number: number) => {
    const random = seededRandom(seed * 1_000 + number);
    const way = new FaultyItemStore(table, time, random);
    const store = new TimedItemStore(way, time, callTimeoutMs);
    const log = new ItemMetadataLog({ log: "cell-1", store, timers: time, random });
    const appender = new TailAppender({ log, writer: "test", hint: async () => 0, timers: time, random });
    return { way, log, appender };
  };
  const keysInLog = async () => {
    const page = await table.query({ partition: "cell-1", from: 1, limit: 1_000 });
    if (page.kind !== "page") throw new Error(page.message);
    return page.items.flatMap((item) => {
      const decoded = decodeEntry(Buffer.from(item.attributes["bytes"] as Uint8Array));
      if (decoded.kind !== "decoded") throw new Error(decoded.message);
      return decoded.entry.records.map((record) => (record as { readonly keyId: string }).keyId);
    });
  };
  return { time, open, keysInLog };
}

test("writers that append at the same moment all get through", async () => {
  const { time, open, keysInLog } = setUp();
  const names = Array.from({ length: 20 }, (_, number) => `k${number}`);
  const appends = names.map((name, number) => open(number).appender.append(async () => [key(name)]));
  const kinds = (await time.until(Promise.all(appends))).map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(["appended"]));
  expect((await keysInLog()).toSorted()).toEqual(names.toSorted());
});

test("appends of one process that wait together share an entry", async () => {
  const { time, open, keysInLog } = setUp();
  const { appender } = open(1);
  const results = await time.until(
    Promise.all(["a", "b", "c"].map((name) => appender.append(async () => [key(name)]))),
  );
  expect(results).toEqual(Array.from({ length: 3 }, () => ({ kind: "appended", seq: 1 })));
  expect(await keysInLog()).toEqual(["a", "b", "c"]);
});

test("nothing to append is no entry, and a decision that fails fails alone", async () => {
  const { time, open, keysInLog } = setUp();
  const { appender } = open(1);
  const failing = appender.append(() => Promise.reject(new Error("no items"))).catch((error: unknown) => String(error));
  const [nothing, appended] = await time.until(
    Promise.all([appender.append(async () => []), appender.append(async () => [key("a")])]),
  );
  expect(await failing).toContain("no items");
  expect([nothing, appended]).toEqual([{ kind: "nothing" }, { kind: "appended", seq: 1 }]);
  expect(await keysInLog()).toEqual(["a"]);
});

test("whatever fails on the way, the log ends with what the newest state of the item wants", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { time, open, keysInLog } = setUp(seed);
    let state = 0;
    const actor = async (number: number) => {
      const { way, appender } = open(number);
      way.faultRate = 0.3;
      state = number;
      // The state is what is read after the tail, as the functions read their items.
      for (let attempt = 0; attempt < 20; attempt++) {
        if ((await appender.append(async () => [key(String(state))])).kind === "appended") return;
      }
      throw new Error("never appended");
    };
    await time.until(Promise.all([1, 2, 3].map(actor)));
    await time.pass(20_000);
    expect((await keysInLog()).at(-1), `seed ${seed}`).toBe(String(state));
  }
});
