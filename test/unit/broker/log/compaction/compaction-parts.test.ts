import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CompactionPace, IoBudget } from "../../../../../broker/log/compaction/compaction-pace.ts";
import { compactionNeed, groupSegments } from "../../../../../broker/log/compaction/compaction-plan.ts";
import { hashSecretBytes, KeyHash } from "../../../../../broker/log/compaction/key-hash.ts";
import { budgetBurstMs, sliceBytesMax, sliceMsMax } from "../../../../../broker/log/compaction/limits.ts";
import { OffsetMap } from "../../../../../broker/log/compaction/offset-map.ts";
import { beginFillerAt, encodeFiller, fillerOffsetsMax } from "../../../../../broker/log/empty-batches.ts";
import type { CompactionRules } from "../../../../../broker/log/log-contract.ts";
import { notCompacted, type SegmentSummary } from "../../../../../broker/log/log-state-file.ts";
import { RecordBatchView } from "../../../../../shared/kafka/records/record-batch.ts";
import { ManualTime } from "../../handlers/manual-time.ts";

describe("OffsetMap", () => {
  test("agrees with a map without bounds as far as it holds, and never grows", () => {
    const keys = new KeyHash(Buffer.alloc(hashSecretBytes, 7));
    const puts = fc.array(
      fc.record({ key: fc.string({ maxLength: 3 }), step: fc.integer({ min: 1, max: 1_000_000 }) }),
    );
    fc.assert(
      fc.property(puts, fc.integer({ min: 1, max: 40 }), (all, room) => {
        const map = new OffsetMap(1_000, room * 24 + 48);
        const bytes = map.bytes;
        const model = new Map<string, number>();
        let offset = 2 ** 52;
        for (const { key, step } of all) {
          offset += step;
          const encoded = Buffer.from(key);
          keys.hash(encoded, 0, encoded.length);
          const fits = model.has(key) || model.size < map.keysMax;
          expect(map.put(keys.words, offset)).toBe(fits);
          if (fits) model.set(key, offset);
          expect(map.get(keys.words)).toBe(model.get(key) ?? -1);
        }
        expect(map.size).toBe(model.size);
        expect(map.bytes).toBe(bytes);
      }),
    );
  });

  test("takes no more memory than its keys need", () => {
    expect(new OffsetMap(100, 1_000_000).bytes).toBeLessThan(5_000);
    expect(new OffsetMap(1_000_000, 10_000).bytes).toBeLessThanOrEqual(10_000);
  });
});

describe("KeyHash", () => {
  const hashOf = (key: Buffer, secret = Buffer.alloc(hashSecretBytes)) => {
    const keys = new KeyHash(secret);
    keys.hash(key, 0, key.length);
    return keys.words.join(" ");
  };

  test("every byte, the length and the secret count", () => {
    const seen = new Set<string>();
    for (let length = 0; length < 40; length += 1) {
      const key = Buffer.alloc(length);
      seen.add(hashOf(key));
      for (let at = 0; at < length; at += 1) {
        key[at] = 1;
        seen.add(hashOf(key));
        key[at] = 0;
      }
    }
    expect(seen.size).toBe(40 + (39 * 40) / 2);
    expect(hashOf(Buffer.from("a"), Buffer.alloc(hashSecretBytes, 1))).not.toBe(hashOf(Buffer.from("a")));
  });

  test("is the same wherever the key lies", () => {
    const keys = new KeyHash(Buffer.alloc(hashSecretBytes, 3));
    const bytes = Buffer.from("xxsome-keyyy");
    keys.hash(bytes, 2, 10);
    const inside = keys.words.join(" ");
    keys.hash(Buffer.from("some-key"), 0, 8);
    expect(keys.words.join(" ")).toBe(inside);
  });
});

const rules: CompactionRules = {
  minDirtyRatio: 0.5,
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 0,
};

/** Segments of ten offsets, one begun each second. */
function segmentsOf(...sizes: readonly number[]): SegmentSummary[] {
  return sizes.map((sizeBytes, index) => ({
    baseOffset: index * 10,
    endOffset: index * 10 + 10,
    sizeBytes,
    maxTimestamp: (index + 1) * 1_000,
    createdMs: index * 1_000,
    generation: 0,
  }));
}

describe("what there is to do", () => {
  const bounds = { wallMs: 10_000, settledOffset: 1_000, tombstonesKeptFrom: 1_000 };
  const log = { segments: segmentsOf(100, 100, 100, 100), startOffset: 0, compaction: notCompacted };

  test("all sealed segments of a log that no pass has seen; the growing one never", () => {
    expect(compactionNeed(log, rules, bounds)).toEqual({ from: 0, to: 30, dirtyRatio: 1, isDue: true });
  });

  test("by the share of dirty bytes: more than min.cleanable.dirty.ratio", () => {
    const compacted = (compactedTo: number) => ({ ...log, compaction: { ...notCompacted, compactedTo } });
    expect(compactionNeed(compacted(20), rules, bounds)).toEqual({ from: 20, to: 30, dirtyRatio: 1 / 3, isDue: false });
    expect(compactionNeed(compacted(10), rules, bounds)).toMatchObject({ dirtyRatio: 2 / 3, isDue: true });
    expect(compactionNeed(compacted(30), { ...rules, minDirtyRatio: 0 }, bounds)).toMatchObject({ isDue: false });
    expect(compactionNeed(compacted(20), { ...rules, minDirtyRatio: 1 / 3 }, bounds).isDue).toBe(false);
  });

  test("nothing that is not settled, or younger than min.compaction.lag.ms", () => {
    expect(compactionNeed(log, rules, { ...bounds, settledOffset: 29 }).to).toBe(20);
    expect(compactionNeed(log, { ...rules, minLagMs: 8_500 }, bounds).to).toBe(10);
    expect(compactionNeed(log, { ...rules, minLagMs: 60_000 }, bounds)).toMatchObject({ to: 0, isDue: false });
  });

  test("however small the dirty part, once max.compaction.lag.ms has passed", () => {
    const mostlyClean = { ...log, compaction: { ...notCompacted, compactedTo: 20 } };
    expect(compactionNeed(mostlyClean, { ...rules, maxLagMs: 8_000 }, bounds).isDue).toBe(false);
    expect(compactionNeed(mostlyClean, { ...rules, maxLagMs: 7_999 }, bounds).isDue).toBe(true);
  });

  test("when the time of all its tombstones is over, and nobody has yet to copy them", () => {
    const clean = {
      ...log,
      compaction: { compactedTo: 30, cleanedTo: 30, tombstonesGoneBelow: 0, newestHorizonMs: 10_000 },
    };
    expect(compactionNeed(clean, rules, bounds)).toMatchObject({ dirtyRatio: 0, isDue: true });
    expect(compactionNeed(clean, rules, { ...bounds, wallMs: 9_999 }).isDue).toBe(false);
    expect(compactionNeed(clean, rules, { ...bounds, tombstonesKeptFrom: 29 }).isDue).toBe(false);
  });

  test("groups are no larger than a segment, and end where the map does", () => {
    const groups = (segmentBytes: number, to: number) =>
      groupSegments(segmentsOf(100, 100, 300, 50, 50, 100), to, { segmentBytes }).map((group) =>
        group.map(({ baseOffset }) => baseOffset),
      );
    expect(groups(200, 50)).toEqual([[0, 10], [20], [30, 40]]);
    expect(groups(1_000, 50)).toEqual([[0, 10, 20, 30, 40]]);
    expect(groups(1_000, 15)).toEqual([[0, 10]]);
    expect(groups(1_000, 0)).toEqual([]);
    const far = segmentsOf(1, 1, 1).map((segment, index) => ({
      ...segment,
      baseOffset: index * 2 ** 31,
      endOffset: (index + 1) * 2 ** 31,
    }));
    expect(groupSegments(far, 2 ** 40, { segmentBytes: 100 }).map(({ length }) => length)).toEqual([1, 1]);
  });
});

describe("pace", () => {
  const paced = (bytesPerSecond: number, mayGoOn = () => true) => {
    const time = new ManualTime();
    const budget = new IoBudget();
    const options = { clock: time, timers: time, budget, bytesPerSecond: () => bytesPerSecond };
    return { time, budget, pace: new CompactionPace(options, mayGoOn) };
  };
  const isOver = async (work: Promise<void>) => {
    let over = false;
    void work.then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    return over;
  };

  test("what is read and written is paid for in time, on average never faster than the budget", async () => {
    const { time, budget, pace } = paced(1_000);
    const reading = pace.read(500 + budgetBurstMs);
    for (let ms = 0; ms < 480; ms += 20) await time.advance(20);
    expect(await isOver(reading)).toBe(false);
    await time.advance(20);
    expect(await isOver(reading)).toBe(true);
    const writing = pace.written(100);
    await time.advance(50);
    expect(await isOver(writing)).toBe(false);
    await time.advance(50);
    expect(await isOver(writing)).toBe(true);
    expect(budget).toMatchObject({ bytesRead: 500 + budgetBurstMs, bytesWritten: 100 });
  });

  test("time that went into work counts as paid, but no more of it than a burst", async () => {
    const { time, pace } = paced(1_000);
    const first = pace.read(budgetBurstMs);
    expect(await isOver(first)).toBe(true);
    await time.advance(10 * budgetBurstMs);
    const second = pace.read(budgetBurstMs);
    expect(await isOver(second)).toBe(true);
    const third = pace.read(20);
    await time.advance(10);
    expect(await isOver(third)).toBe(false);
    await time.advance(10);
    expect(await isOver(third)).toBe(true);
  });

  test("who is stopped waits no longer than a piece of the pause", async () => {
    let isWanted = true;
    const { time, pace } = paced(1, () => isWanted);
    const reading = pace.read(1_000_000);
    isWanted = false;
    await time.advance(50);
    expect(await isOver(reading)).toBe(true);
    expect(pace.isStopped).toBe(true);
  });

  test("a slice ends by bytes or by time", async () => {
    const { time, pace } = paced(Number.POSITIVE_INFINITY);
    expect(pace.isSliceOver(sliceBytesMax - 1)).toBe(false);
    expect(pace.isSliceOver(1)).toBe(true);
    await pace.giveWay();
    expect(pace.isSliceOver(1)).toBe(false);
    await time.advance(sliceMsMax);
    expect(pace.isSliceOver(1)).toBe(true);
  });
});

describe("fillers", () => {
  test("golden bytes", () => {
    expect(encodeFiller({ baseOffset: 5, endOffset: 9, epoch: 3 }).toString("hex")).toBe(
      [
        "0000000000000005 00000031 00000003 02 5a7b129f 0000 00000003",
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff ffff ffffffff 00000000",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("one that holds an offset can begin there; other batches stay as they are", () => {
    const filler = new RecordBatchView(encodeFiller({ baseOffset: 5, endOffset: 9, epoch: 3 }));
    for (const outside of [4, 5, 9, 10]) beginFillerAt(filler, outside);
    expect(filler).toMatchObject({ baseOffset: 5, endOffset: 9 });
    beginFillerAt(filler, 8);
    expect(filler).toMatchObject({ baseOffset: 8, endOffset: 9, partitionLeaderEpoch: 3, isCrcValid: true });
  });

  test("cover no more than an int32 counts", () => {
    expect(() => encodeFiller({ baseOffset: 0, endOffset: fillerOffsetsMax + 1, epoch: 0 })).toThrow("int32");
    expect(new RecordBatchView(encodeFiller({ baseOffset: 0, endOffset: fillerOffsetsMax, epoch: 0 }))).toMatchObject({
      endOffset: fillerOffsetsMax,
    });
  });
});
