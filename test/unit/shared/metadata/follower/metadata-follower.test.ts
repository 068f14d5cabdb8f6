import { describe, expect, test } from "vitest";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import type { Decision } from "../../../../../shared/metadata/commands/decision.ts";
import { proposalsPerEntryMax, proposalsQueuedMax } from "../../../../../shared/metadata/follower/limits.ts";
import { MetadataFollower } from "../../../../../shared/metadata/follower/metadata-follower.ts";
import type { MetadataDelta, MetadataImage } from "../../../../../shared/metadata/image/metadata-image.ts";
import { encodeSnapshot } from "../../../../../shared/metadata/image/snapshot.ts";
import { entryItem } from "../../../../../shared/metadata/log/items/entry-item.ts";
import { entriesKeptBelowSnapshot, entriesPerSnapshot } from "../../../../../shared/metadata/log/limits.ts";
import { encodeEntry } from "../../../../../shared/metadata/records/entry.ts";
import type { MetadataRecord } from "../../../../../shared/metadata/records/record.ts";
import { MemoryObjectStore } from "../../../../../shared/object-store/memory-object-store.ts";
import { FaultyItemStore } from "../log/faulty-item-store.ts";
import { seededRandom } from "../log/seeded-random.ts";
import { VirtualTime } from "../log/virtual-time.ts";

const cell = "cell-1";

function world() {
  const time = new VirtualTime();
  const random = seededRandom(7);
  const table = new MemoryItemStore();
  const objectStore = new MemoryObjectStore();
  const make = () => {
    const way = new FaultyItemStore(table, time, random);
    const follower = new MetadataFollower({
      cell,
      itemStore: way,
      objectStore,
      clock: time,
      timers: time,
      random,
    });
    return { way, follower };
  };
  const started = async () => {
    const made = make();
    expect(await time.until(made.follower.start())).toMatchObject({ kind: "started" });
    return made;
  };
  return { time, table, objectStore, make, started };
}

/** A decision that always has something to write: the next producer id, and the id as its reply. */
function takeNext(image: MetadataImage): Decision<number> {
  const first = image.nextProducerId;
  return { records: [{ type: "producer-ids-allocated", brokerId: 0, first, count: 1 }], reply: first };
}

function nothing(image: MetadataImage): Decision<number> {
  return { records: [], reply: image.nextProducerId };
}

async function appendMany(time: VirtualTime, follower: MetadataFollower, entries: number): Promise<void> {
  for (let entry = 0; entry < entries; entry++) {
    expect(await time.until(follower.propose(takeNext))).toMatchObject({ kind: "done" });
  }
}

describe("proposals", () => {
  test("made together share an entry, and each sees the effects of those before it", async () => {
    const { time, started } = world();
    const { follower } = await started();
    const results = await time.until(Promise.all([1, 2, 3].map(() => follower.propose(takeNext))));
    expect(results.map((result) => result.kind === "done" && [result.seq, result.reply])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(follower.image.nextProducerId).toBe(3);
  });

  test("a decision without records is refused on an image that was current when it was proposed", async () => {
    const { time, started } = world();
    const [a, b] = [await started(), await started()];
    await appendMany(time, a.follower, 2);
    expect(b.follower.image.seq).toBe(0);
    expect(await time.until(b.follower.propose(nothing))).toEqual({ kind: "refused", reply: 2 });
  });

  test("a decision that throws, or breaks an invariant, fails alone", async () => {
    const { time, started } = world();
    const { follower } = await started();
    const throws = follower.propose(() => {
      throw new Error("a bug");
    });
    const breaks = follower.propose(() => ({
      records: [{ type: "controller-elected", brokerId: 1, controllerEpoch: 7 }],
      reply: 0,
    }));
    const fine = follower.propose(takeNext);
    await expect(time.until(throws)).rejects.toThrow("a bug");
    await expect(time.until(breaks)).rejects.toThrow("controller epoch does not follow 0");
    expect(await time.until(fine)).toMatchObject({ kind: "done", seq: 1, reply: 0 });
    expect(follower.image.controller).toBeUndefined();
  });

  test("a decision larger than an entry fails alone; those that do not fit together take several entries", async () => {
    const { time, started } = world();
    const { follower } = await started();
    const config = (name: string, bytes: number): MetadataRecord => ({
      type: "cell-config-replaced",
      configs: Object.fromEntries(
        Array.from({ length: bytes / 10_000 }, (_, n) => [`${name}${n}`, "x".repeat(10_000)]),
      ),
    });
    const sizes = [150_000, 300_000, 150_000, 50_000];
    const results = await time.until(
      Promise.all(sizes.map((bytes) => follower.propose(() => ({ records: [config("c", bytes)], reply: bytes })))),
    );
    expect(
      results.map((result) => (result.kind === "done" ? result.seq : result.kind === "failed" && result.reason)),
    ).toEqual([1, "too-large", 2, 2]);
  });

  test("more than may wait are refused at once; more than fit one entry take their turn", async () => {
    const { time, started } = world();
    const { follower } = await started();
    const results = await time.until(
      Promise.all(Array.from({ length: proposalsQueuedMax + 5 }, () => follower.propose(takeNext))),
    );
    const overloaded = results.filter((result) => result.kind === "failed" && result.reason === "overloaded");
    expect(overloaded).toHaveLength(5);
    expect(follower.image.nextProducerId).toBe(proposalsQueuedMax);
    expect(follower.image.seq).toBe(Math.ceil(proposalsQueuedMax / proposalsPerEntryMax));
  });

  test("fail while the store does not answer, and work again after", async () => {
    const { time, started } = world();
    const { way, follower } = await started();
    way.faultRate = 1;
    way.nextWrites.push("unavailable", "unavailable", "unavailable", "unavailable", "unavailable");
    expect(await time.until(follower.propose(takeNext))).toMatchObject({ kind: "failed", reason: "unavailable" });
    expect(await time.until(follower.propose(nothing))).toMatchObject({ kind: "failed", reason: "unavailable" });
    expect(follower.unconfirmedMs).toBeGreaterThan(1_000);
    way.faultRate = 0;
    expect(await time.until(follower.propose(takeNext))).toMatchObject({ kind: "done", seq: 1 });
  });
});

describe("following", () => {
  test("polling finds what others wrote, also after the store failed for long", async () => {
    const { time, started } = world();
    const [a, b] = [await started(), await started()];
    const seqs: number[] = [];
    b.follower.subscribe((delta) => seqs.push(delta.seq));
    b.way.faultRate = 1;
    await appendMany(time, a.follower, 3);
    await time.pass(120_000);
    expect(b.follower.image.seq).toBe(0);
    b.way.faultRate = 0;
    await time.pass(20_000);
    expect(seqs).toEqual([1, 2, 3]);
    expect(b.follower.unconfirmedMs).toBeLessThan(2_000);
  });

  test("pushed entries are applied when they are next, known ones ignored, gaps filled from the table", async () => {
    const { time, started } = world();
    const [a, b] = [await started(), await started()];
    const pushed: Buffer[] = [];
    for (let entry = 0; entry < 4; entry++) {
      const result = await time.until(a.follower.propose(takeNext));
      pushed.push(result.kind === "done" ? result.entryBytes : Buffer.alloc(0));
    }
    const [one, two, , four] = pushed as [Buffer, Buffer, Buffer, Buffer];
    const before = b.follower.image.seq;
    expect(before).toBe(0);
    expect(b.follower.offer(1, one)).toBe("applied");
    expect(b.follower.offer(2, two)).toBe("applied");
    expect(b.follower.offer(1, one)).toBe("known");
    expect(b.follower.image.seq).toBe(2);
    expect(b.follower.offer(4, four)).toBe("gap");
    expect(await time.until(b.follower.waitFor(4, 500))).toBe("reached");
  });

  test("an entry offered by a listener comes after the one that it hears of", async () => {
    const { time, started } = world();
    const [a, b] = [await started(), await started()];
    const entries = [await time.until(a.follower.propose(takeNext)), await time.until(a.follower.propose(takeNext))];
    const [one, two] = entries.map((result) => (result.kind === "done" ? result.entryBytes : Buffer.alloc(0)));
    const heard: string[] = [];
    b.follower.subscribe((delta) => {
      heard.push(`first ${delta.seq}`);
      if (delta.seq === 1) {
        b.follower.offer(2, two as Buffer);
      }
    });
    b.follower.subscribe((delta) => heard.push(`second ${delta.seq}`));
    b.follower.offer(1, one as Buffer);
    expect(heard).toEqual(["first 1", "second 1", "first 2", "second 2"]);
  });

  test("waiting ends when the entry is there, when time is up, when the follower stops", async () => {
    const { time, started } = world();
    const { follower } = await started();
    const [reached, late, stopped] = [
      follower.waitFor(1, 9_000),
      follower.waitFor(2, 3_000),
      follower.waitFor(2, 9_000),
    ];
    await appendMany(time, follower, 1);
    expect(await time.until(reached)).toBe("reached");
    expect(await time.until(late)).toBe("timed-out");
    follower.stop();
    expect(await time.until(stopped)).toBe("stopped");
    expect(await follower.waitFor(1, 1)).toBe("reached");
    expect(await time.until(follower.propose(takeNext))).toMatchObject({ kind: "failed", reason: "stopped" });
  });

  test("an entry of a newer build stops the follower, with a clear reason", async () => {
    const { time, table, started } = world();
    const { follower } = await started();
    const encoded = encodeEntry({ id: "a".repeat(32), writer: "w", featureLevel: 1, records: [] });
    const bytes = encoded.kind === "encoded" ? encoded.bytes : Buffer.alloc(0);
    bytes.writeUInt8(2, 0);
    await table.put(entryItem(cell, { seq: 1, id: "a".repeat(32), bytes }), { kind: "absent" });
    const reasons: string[] = [];
    follower.onStopped((message) => reasons.push(message));
    await time.pass(3_000);
    expect(reasons).toEqual(["entry 1 of log cell-1 cannot be read: entry format 2 is not known to this build"]);
    expect(follower.stopped).toBe(reasons[0]);
    expect(follower.offer(1, bytes)).toBe("stopped");
  });

  test("starting fails while the store does, and can be tried again", async () => {
    const { time, make } = world();
    const { way, follower } = make();
    way.faultRate = 1;
    expect(await time.until(follower.start())).toMatchObject({ kind: "failed", reason: "unavailable" });
    way.faultRate = 0;
    expect(await time.until(follower.start())).toEqual({ kind: "started", seq: 0 });
  });
});

describe("snapshots and trim", () => {
  const entries = entriesPerSnapshot + entriesKeptBelowSnapshot + 10;

  test("maintain writes a snapshot when due, trims far below it, and a new follower starts from it", async () => {
    const { time, started, objectStore, table } = world();
    const { follower } = await started();
    await appendMany(time, follower, 5);
    expect(await time.until(follower.maintain())).toEqual({ kind: "done", snapshotSeq: 0, deleted: 0, more: false });
    await appendMany(time, follower, entries - 5);
    expect(await time.until(follower.maintain())).toEqual({
      kind: "done",
      snapshotSeq: entries,
      deleted: 1_000,
      more: true,
    });
    expect(await time.until(follower.maintain())).toMatchObject({ snapshotSeq: entries, deleted: 10, more: false });

    const listed = await objectStore.list(`metadata/${cell}/`);
    expect(listed.kind === "page" && listed.keys).toHaveLength(1);
    const oldest = await table.query({ partition: cell, from: 1, limit: 1 });
    expect(oldest.kind === "page" && oldest.items[0]?.sort).toBe(entries - entriesKeptBelowSnapshot + 1);

    const late = await started();
    expect(late.follower.image.seq).toBe(entries);
    expect(encodeSnapshot(late.follower.image).equals(encodeSnapshot(follower.image))).toBe(true);
  });

  test("who lagged behind the trim reloads: a reader by its poll, a writer by its failed append", async () => {
    const { time, started } = world();
    const [active, reader, writer] = [await started(), await started(), await started()];
    const deltas: MetadataDelta[] = [];
    reader.follower.subscribe((delta) => deltas.push(delta));
    reader.way.faultRate = 1;
    writer.way.faultRate = 1;
    await appendMany(time, active.follower, entries);
    while (await moreToTrim(time, active.follower)) {
      // Goes on until all is deleted.
    }
    expect([reader.follower.image.seq, writer.follower.image.seq]).toEqual([0, 0]);

    writer.way.faultRate = 0;
    expect(await time.until(writer.follower.propose(takeNext))).toMatchObject({ kind: "failed", reason: "trimmed" });
    expect(writer.follower.image.seq).toBe(entries);
    expect(await time.until(writer.follower.propose(takeNext))).toMatchObject({ kind: "done", seq: entries + 1 });

    reader.way.faultRate = 0;
    await time.pass(20_000);
    expect(deltas[0]).toMatchObject({ seq: entries + 1, reset: true });
    expect(reader.follower.image.nextProducerId).toBe(entries + 1);
  });

  async function moreToTrim(time: VirtualTime, follower: MetadataFollower): Promise<boolean> {
    const result = await time.until(follower.maintain());
    expect(result.kind).toBe("done");
    return result.kind === "done" && result.more;
  }
});
