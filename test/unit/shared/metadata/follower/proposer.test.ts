import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import type { Decision } from "../../../../../shared/metadata/commands/decision.ts";
import { MetadataFollower } from "../../../../../shared/metadata/follower/metadata-follower.ts";
import type { ProposeResult } from "../../../../../shared/metadata/follower/proposal.ts";
import type { MetadataImage } from "../../../../../shared/metadata/image/metadata-image.ts";
import { encodeSnapshot } from "../../../../../shared/metadata/image/snapshot.ts";
import { decodeSlot } from "../../../../../shared/metadata/log/items/entry-item.ts";
import { decodeEntry } from "../../../../../shared/metadata/records/entry.ts";
import { MemoryObjectStore } from "../../../../../shared/object-store/memory-object-store.ts";
import { FaultyItemStore } from "../log/faulty-item-store.ts";
import { seededRandom } from "../log/seeded-random.ts";
import { VirtualTime } from "../log/virtual-time.ts";

/** Each proposal takes the next number of a counter and leaves its own mark: lost, doubled or stale ones show. */
function takeNext(mark: string) {
  return (image: MetadataImage): Decision<number> => ({
    records: [
      { type: "producer-ids-allocated", brokerId: 0, first: image.nextProducerId, count: 1 },
      { type: "logical-cluster-upserted", lkc: `lkc-${mark}`, name: mark, createdMs: image.nextProducerId },
    ],
    reply: image.nextProducerId,
  });
}

async function race(seed: number, writers: number, proposals: number, faultRate: number) {
  const time = new VirtualTime();
  const random = seededRandom(seed);
  const table = new MemoryItemStore();
  const objectStore = new MemoryObjectStore();
  const members = Array.from({ length: writers }, () => {
    const way = new FaultyItemStore(table, time, random);
    const follower = new MetadataFollower({
      cell: "cell-1",
      itemStore: way,
      objectStore,
      clock: time,
      timers: time,
      random,
    });
    return { way, follower };
  });
  for (const { follower } of members) {
    expect(await time.until(follower.start())).toMatchObject({ kind: "started" });
  }
  const outcomes = members.flatMap(({ way, follower }, writer) => {
    way.faultRate = faultRate;
    return Array.from({ length: proposals }, async (_, index) => {
      await new Promise<void>((resolve) => time.after(random.fraction() * 2_000, resolve));
      const mark = `w${writer}p${String(index).padStart(4, "0")}`;
      return { mark, result: await follower.propose(takeNext(mark)) };
    });
  });
  const settled = await time.until(Promise.all(outcomes));
  await time.pass(10_000); // Late writes arrive.
  for (const { way, follower } of members) {
    way.faultRate = 0;
    expect(await time.until(follower.refresh())).toEqual({ kind: "current" });
  }
  for (const { follower } of members) {
    follower.stop();
  }
  return { settled, table, followers: members.map(({ follower }) => follower) };
}

/** The marks in the log, in order, read from the table itself. */
async function marksInLog(table: MemoryItemStore): Promise<readonly string[]> {
  const page = await table.query({ partition: "cell-1", from: 1, limit: 1000 });
  if (page.kind !== "page" || page.more) {
    throw new Error("more than a page");
  }
  expect(page.items.map(({ sort }) => sort)).toEqual(page.items.map((_, index) => index + 1));
  return page.items.flatMap((item) => {
    const slot = decodeSlot(item);
    const decoded = slot.kind === "entry" ? decodeEntry(slot.entry.bytes) : undefined;
    if (decoded?.kind !== "decoded") {
      throw new Error("not an entry");
    }
    return decoded.entry.records.flatMap((record) => (record.type === "logical-cluster-upserted" ? [record.name] : []));
  });
}

describe("writers that race over a store that fails in every way", () => {
  test("agree on one order, in which nothing is lost, doubled or decided on an old image", async () => {
    const kinds = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(0, 0.1, 0.4), async (seed, faultRate) => {
        const { settled, table, followers } = await race(seed, 3, 8, faultRate);
        const marks = await marksInLog(table);

        expect(new Set(marks).size).toBe(marks.length);
        for (const { mark, result } of settled) {
          checkOutcome(mark, result, marks);
          const kind = result.kind === "failed" ? result.reason : result.kind;
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        }
        const snapshots = followers.map(({ image }) => encodeSnapshot(image).toString());
        expect(new Set(snapshots).size).toBe(1);
        expect(followers[0]?.image.nextProducerId).toBe(marks.length);
      }),
      { numRuns: 200 },
    );
    // The faults did bite, and most proposals got through all the same.
    expect(kinds.get("done")).toBeGreaterThan(500);
    expect(kinds.get("unknown")).toBeGreaterThan(0);
    expect(kinds.get("unavailable")).toBeGreaterThan(0);
  });
});

function checkOutcome(mark: string, result: ProposeResult<number>, marks: readonly string[]): void {
  switch (result.kind) {
    case "done":
      // The counter that it was given is its place in the log.
      expect(marks.indexOf(mark)).toBe(result.reply);
      return;
    case "refused":
      throw new Error("nothing refuses here");
    case "failed":
      if (result.reason !== "unknown") {
        expect(marks).not.toContain(mark);
      }
  }
}
