import { describe, expect, test } from "vitest";
import { encodeFiller } from "../../../../../broker/log/empty-batches.ts";
import type { LogConfig } from "../../../../../broker/log/log-contract.ts";
import type { PartitionLog } from "../../../../../broker/log/partition-log.ts";
import { ProducerStates } from "../../../../../broker/log/producer-states.ts";
import { decodeRecords } from "../../../../../shared/kafka/records/record.ts";
import { RecordBatchView, wholeBatches } from "../../../../../shared/kafka/records/record-batch.ts";
import { logStateFileName, segmentFileName } from "../../../../../shared/segment/segment-names.ts";
import {
  chunkAt,
  endOf,
  logDirectory,
  makeTestLog,
  readAll,
  type TestLog,
  testConfig,
  turn,
  written,
} from "../log-fixture.ts";
import { compact, contents, type KeyedRecord, keyedChunk, means, rules, storedBytes } from "./compaction-fixture.ts";

function open(world: TestLog, config: Partial<LogConfig> = {}): Promise<PartitionLog> {
  return world.open({ config: { compaction: rules, ...config } });
}

/** Each list is a segment of one batch. */
async function fill(
  log: PartitionLog,
  segments: readonly (readonly KeyedRecord[])[],
  wish: Parameters<typeof keyedChunk>[2] = {},
): Promise<void> {
  for (const records of segments) {
    log.append(keyedChunk(log.endOffset, records, { startsSegment: true, ...wish }));
  }
  await written(log);
}

const put = (key: string, value: string): KeyedRecord => ({ key, value });
const gone = (key: string): KeyedRecord => ({ key, value: null });

/** The stored batches as `[base, end, records]`. */
async function shapeOf(log: PartitionLog): Promise<[number, number, number][]> {
  return [...wholeBatches(await storedBytes(log))].map((batch) => [
    batch.baseOffset,
    batch.endOffset,
    batch.recordCount,
  ]);
}

describe("what a pass leaves", () => {
  test.each([0, 1, 2, 3, 4])(
    "codec %i: of each key the newest, at its offset, with its time and headers",
    async (codec) => {
      const world = makeTestLog({ tailBytesMax: 0 });
      const log = await open(world);
      const first = [put("a", "1"), put("b", "1"), put("c", "1")];
      await fill(log, [first, [put("a", "2"), put("b", "2")], [put("a", "3")]], { compression: codec });

      expect(await compact(world, log)).toMatchObject({ kind: "done", recordsRemoved: 2 });

      // The last segment grows: what is in it neither goes nor makes others go.
      expect(await contents(log)).toEqual(["2:c=1", "3:a=2", "4:b=2", "5:a=3"]);
      expect(log.compactedTo).toBe(5);
      const [batch] = wholeBatches(await storedBytes(log));
      const shape = { baseOffset: 0, endOffset: 3, recordCount: 1, compression: codec, maxTimestamp: 1_002 };
      expect(batch).toMatchObject(shape);
      const [record] = decodeRecords(batch as RecordBatchView);
      expect(record).toMatchObject({ timestampMs: 1_002, headers: [{ key: "h", value: Buffer.from("2") }] });
    },
  );

  test("a batch of which nothing goes is copied byte for byte; small segments become one", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("b", "1"), put("c", "1")], [put("a", "2")], [put("x", "1")]], {
      compression: 4,
    });
    const before = [...wholeBatches(await storedBytes(log))].map((batch) => Buffer.from(batch.bytes));

    await compact(world, log);

    const after = [...wholeBatches(await storedBytes(log))].map((batch) => batch.bytes);
    expect(after[1]).toEqual(before[1]);
    expect(after[2]).toEqual(before[2]);
    expect(log.segments.map(({ baseOffset, generation }) => [baseOffset, generation])).toEqual([
      [0, 1],
      [4, 0],
    ]);
    const log0 = segmentFileName(0, "log", 1);
    expect(await world.disk.list(logDirectory)).toEqual(
      [
        log0,
        segmentFileName(0, "index", 1),
        segmentFileName(4, "log"),
        segmentFileName(4, "snapshot"),
        logStateFileName,
      ].sort(),
    );
  });

  test("no larger than segment.bytes become segments that are put together", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world, { segmentBytes: 200 });
    await fill(log, [[put("a", "1")], [put("b", "1")], [put("c", "1")], [put("d", "1")], [put("e", "1")]]);
    await compact(world, log);
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4]);
  });

  test("runs of emptied batches become one filler for each leader epoch", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    for (const epoch of [1, 1, 2, 2, 2])
      log.append(keyedChunk(log.endOffset, [put("a", "x"), put("b", "x")], { epoch }));
    log.append(keyedChunk(log.endOffset, [put("a", "y"), put("b", "y")], { epoch: 2 }));
    log.append(keyedChunk(log.endOffset, [put("z", "y")], { epoch: 3, startsSegment: true }));
    await written(log);
    const epochs = log.epochs.entries;

    await compact(world, log);

    expect(await shapeOf(log)).toEqual([
      [0, 4, 0],
      [4, 10, 0],
      [10, 12, 2],
      [12, 13, 1],
    ]);
    expect(log.epochs.entries).toEqual(epochs);
    await log.close(true);
    const again = await open(world);
    expect(again.epochs.entries).toEqual(epochs);
    expect(await contents(again)).toEqual(["10:a=y", "11:b=y", "12:z=y"]);
  });

  test("control batches, transactions and records that cannot be read stay whole, and replace nothing", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
    await fill(log, [[put("a", "1"), put("b", "1"), put("c", "1"), put("d", "1")]]);
    await fill(log, [[put("a", "2")]], { ...producer, isTransactional: true });
    await fill(log, [[put("b", "2")]], { ...producer, isTransactional: true, isControl: true });
    const damaged = keyedChunk(log.endOffset, [put("c", "2")], { startsSegment: true });
    damaged.bytes.writeInt8(120, 61);
    new RecordBatchView(damaged.bytes).updateCrc();
    log.append(damaged);
    await fill(log, [[put("a", "3")], [put("a", "4")], [put("e", "1")]]);

    await compact(world, log);

    expect((await shapeOf(log)).slice(0, 5)).toEqual([
      [0, 4, 3],
      [4, 5, 1],
      [5, 6, 1],
      [6, 7, 1],
      [7, 8, 0],
    ]);
  });

  test("records without a key, from before the topic was compacted, go as in Kafka", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[{ key: null, value: "1" }, put("", "1")], [put("x", "1")]]);
    await compact(world, log);
    expect(await contents(log)).toEqual(["1:=1", "2:x=1"]);
  });

  test("under LogAppendTime the header's time stays", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    const chunk = keyedChunk(0, [put("a", "1"), put("b", "1")]);
    new RecordBatchView(chunk.bytes).setLogAppendTime(5_000);
    log.append(chunk);
    await fill(log, [[put("b", "2")], [put("x", "1")]]);
    await compact(world, log);
    const [batch] = wholeBatches(await storedBytes(log));
    expect([...decodeRecords(batch as RecordBatchView)]).toMatchObject([{ offset: 0, timestampMs: 5_000 }]);
  });

  test("what lies below the log start goes, and the start stays where it is", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1"), put("b", "1")], [put("c", "1")], [put("x", "1")]]);
    await log.raiseStart(1);
    await compact(world, log);
    expect(log.startOffset).toBe(1);
    expect(await contents(log)).toEqual(["1:b=1", "2:c=1", "3:x=1"]);
    expect((await shapeOf(log))[0]).toEqual([0, 2, 1]);
  });
});

describe("a map that is full", () => {
  test("the log is compacted as far as it holds, the rest by later passes", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    const round = (value: string) => ["a", "b", "c", "d", "e"].map((key) => put(key, value));
    await fill(log, [round("1"), round("2"), [put("x", "1")]]);

    // Three places, so two keys.
    expect(await compact(world, log, { mapBytesMax: 3 * 24 })).toMatchObject({ kind: "done", mapUse: 1 });
    expect(log.compactedTo).toBe(2);
    let passes = 1;
    for (; log.compactedTo < 10; passes += 1) await compact(world, log, { mapBytesMax: 3 * 24 });

    expect(passes).toBe(5);
    expect(await contents(log)).toEqual(["5:a=2", "6:b=2", "7:c=2", "8:d=2", "9:e=2", "10:x=1"]);
  });
});

describe("a pass that does not come to its end", () => {
  test("is remembered: what it left out for newer records is not there any more, also after the log was opened again", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("b", "1")], [put("a", "2")], [put("x", "1")]]);
    // Each segment is a group of its own.
    log.reconfigure({ ...testConfig, segmentBytes: 1, compaction: rules });
    const { sizeBytes } = log;
    const { pace } = means(world.clock);
    const bytesPerSecond = () => {
      if (log.sizeBytes < sizeBytes) log.reconfigure({ ...testConfig, compaction: undefined });
      return Number.POSITIVE_INFINITY;
    };

    const { kind } = await compact(world, log, { pace: { ...pace, bytesPerSecond } });

    expect(kind).toBe("stopped");
    expect(await contents(log)).toEqual(["1:b=1", "2:a=2", "3:x=1"]);
    expect([log.compactedTo, log.cleanedTo]).toEqual([0, 3]);
    await log.close(true);
    const reopened = await open(world);
    expect([reopened.compactedTo, reopened.cleanedTo]).toEqual([0, 3]);
    await compact(world, reopened);
    expect([reopened.compactedTo, reopened.cleanedTo]).toEqual([3, 3]);
  });
});

describe("tombstones (KIP-534)", () => {
  test("go in a pass delete.retention.ms after the one that met them first, and not before", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1"), put("b", "1")], [gone("a"), put("c", "1")], [put("x", "1")]]);

    await compact(world, log);
    expect(await contents(log)).toEqual(["1:b=1", "2:a=null", "3:c=1", "4:x=1"]);
    const horizon = world.clock.nowMs + 1_000;
    const [, marked] = wholeBatches(await storedBytes(log));
    expect(marked).toMatchObject({ hasDeleteHorizon: true, baseTimestamp: horizon, maxTimestamp: 1_003 });
    expect([...decodeRecords(marked as RecordBatchView)].map(({ timestampMs }) => timestampMs)).toEqual([1_002, 1_003]);

    world.clock.nowMs += 999;
    expect(log.compactionNeed(boundsOf(world, log))?.isDue).toBe(false);
    await compact(world, log);
    expect(await contents(log)).toContain("2:a=null");

    world.clock.nowMs += 1;
    expect(log.compactionNeed(boundsOf(world, log))?.isDue).toBe(true);
    expect(log.tombstonesGoneBelow).toBe(0);
    await compact(world, log);
    expect(await contents(log)).toEqual(["1:b=1", "3:c=1", "4:x=1"]);
    expect(log.tombstonesGoneBelow).toBe(3);
    expect(log.compactionNeed(boundsOf(world, log))?.isDue).toBe(false);
    await log.close(true);
    expect((await open(world)).tombstonesGoneBelow).toBe(3);
  });

  test("stay, however old, where a follower has yet to copy them", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[gone("a")], [gone("b")], [put("x", "1")]]);
    await compact(world, log);
    world.clock.nowMs += 5_000;
    const bounds = { ...boundsOf(world, log), tombstonesKeptFrom: 1 };
    expect(log.compactionNeed(bounds)?.isDue).toBe(false);
    await compact(world, log, bounds);
    expect(await contents(log)).toEqual(["1:b=null", "2:x=1"]);
  });

  test("a key that comes back is not deleted", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [gone("a")], [put("x", "1")]]);
    await compact(world, log);
    await fill(log, [[put("a", "2")], [put("y", "1")]]);
    world.clock.nowMs += 5_000;
    await compact(world, log);
    expect(await contents(log)).toEqual(["2:x=1", "3:a=2", "4:y=1"]);
    // It was replaced, not removed for its age.
    expect(log.tombstonesGoneBelow).toBe(0);
  });
});

describe("producers", () => {
  test("the newest batch of each keeps its header; a log copied from the first batch on knows their sequences", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    const batch = (sequence: number, value: string) =>
      keyedChunk(log.endOffset, [put("a", value)], {
        producerId: 5,
        producerEpoch: 1,
        baseSequence: sequence,
        startsSegment: true,
      });
    for (const [sequence, value] of ["1", "2", "3"].entries()) log.append(batch(sequence, value));
    await fill(log, [[put("a", "4")], [put("x", "1")]]);

    await compact(world, log);

    expect(await shapeOf(log)).toEqual([
      [0, 2, 0],
      [2, 3, 0],
      [3, 4, 1],
      [4, 5, 1],
    ]);
    const copied = new ProducerStates();
    for (const each of wholeBatches(await storedBytes(log))) copied.update(each, 0);
    expect(copied.find(5)).toMatchObject({ epoch: 1, batches: [{ baseSequence: 2, lastSequence: 2, baseOffset: 2 }] });

    // A newer one is there: the header has served.
    log.append(batch(3, "5"));
    await fill(log, [[put("y", "1")]]);
    await compact(world, log);
    expect((await shapeOf(log)).filter(([, , count]) => count === 0)).toEqual([[0, 4, 0]]);
  });
});

describe("reads", () => {
  test("a consumer gets past what was emptied; at the very end the filler takes it there", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world, { segmentBytes: 100 });
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("a", "3")], [put("b", "1")]]);
    await compact(world, log);

    const read = await log.read(0, 4, 1_000, true);
    expect([...wholeBatches(Buffer.concat(read))].map(({ baseOffset }) => baseOffset)).toEqual([2]);
    // A bound (high watermark) behind the emptied ones: nothing else follows.
    const last = await log.read(0, 1, 1_000, true);
    expect(last.map(endOf)).toEqual([1]);
    expect(new RecordBatchView(last[0] as Buffer).recordCount).toBe(0);
  });

  test("a follower that stands inside a filler gets it from there on", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("a", "3")], [put("a", "4")], [put("b", "1")]]);
    await compact(world, log);
    const chunks = await log.readChunks(2, 10_000);
    expect(chunks[0]).toMatchObject({ baseOffset: 2, endOffset: 4, startsSegment: false });
    const [filler] = wholeBatches(chunks[0]?.bytes as Buffer);
    expect(filler).toMatchObject({ baseOffset: 2, endOffset: 3, recordCount: 0, isCrcValid: true });

    const copy = makeTestLog();
    const follower = await open(copy);
    await follower.restartAt(2);
    for (const chunk of chunks) follower.append(chunk);
    // From the tail in memory too: a follower may lead next.
    log.append(chunkAt(log.endOffset));
    const filled = { baseOffset: 100, endOffset: 110, epoch: 1 };
    await follower.restartAt(100);
    follower.append({ ...filled, bytes: encodeFiller(filled), startsSegment: true });
    const [part] = await follower.readChunks(104, 1_000);
    expect(part).toMatchObject({ baseOffset: 104, endOffset: 110, startsSegment: false });
    expect(new RecordBatchView(part?.bytes as Buffer)).toMatchObject({
      baseOffset: 104,
      endOffset: 110,
      isCrcValid: true,
    });
    const [whole] = await follower.readChunks(100, 1_000);
    expect(whole?.bytes).toEqual(encodeFiller(filled));
  });

  test("look-ups by time see the records that are left", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world, { indexIntervalBytes: 0 });
    const at = (key: string, timestampMs: number): KeyedRecord => ({ key, value: "v", timestampMs });
    const producer = { producerId: 5, producerEpoch: 1, baseSequence: 0 };
    await fill(log, [[at("a", 9_000)]], producer);
    await fill(log, [[at("b", 2_000)], [at("c", 3_000), at("a", 4_000)], [at("x", 100)]]);
    await compact(world, log);
    expect(await log.offsetForTimestamp(1, 5)).toMatchObject({ offset: 1, timestampMs: 2_000 });
    expect(await log.offsetForTimestamp(3_500, 5)).toMatchObject({ offset: 3 });
    expect(await log.offsetForTimestamp(4_001, 5)).toBeUndefined();
    expect(await log.offsetOfMaxTimestamp(5)).toMatchObject({ offset: 3, timestampMs: 4_000 });
    await log.close(true);
    await world.disk.removeFile(`${logDirectory}/${segmentFileName(0, "index", 1)}`);
    expect(await (await open(world)).offsetOfMaxTimestamp(5)).toMatchObject({ offset: 3, timestampMs: 4_000 });
  });

  test("a read that finds its segment exchanged reads the one in its place", async () => {
    const held: (() => void)[] = [];
    let isHeld = false;
    const world = makeTestLog({
      tailBytesMax: 0,
      openFilesMax: 1,
      schedule: (run) => (isHeld ? held.push(run) : queueMicrotask(run)),
    });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("x", "1")]]);
    await log.read(2, 3, 100, true);
    const compacting = compact(world, log);
    const reading = Promise.all(Array.from({ length: 20 }, async () => log.read(0, 3, 1_000, true)));
    isHeld = true;
    for (let step = 0; step < 2_000; step += 1) {
      held.splice(Math.floor(held.length / 2), 1)[0]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const read of await reading) expect(endOf(Buffer.concat(read))).toBeGreaterThan(0);
    expect((await compacting).kind).toBe("done");
  });
});

describe("a run ends with its log", () => {
  test.each(["close", "delete", "cut"])("%s while it works: nothing is left of what it made", async (how) => {
    const world = makeTestLog({ tailBytesMax: 0, schedule: (run) => setImmediate(run) });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("x", "1")]]);
    const running = compact(world, log);
    const made = `${logDirectory}/${segmentFileName(0, "log", 1)}`;
    while (world.disk.peek(made) === undefined) await turn();
    if (how === "close") await log.close(true);
    else if (how === "delete") await log.delete();
    else await log.truncate(1);
    expect((await running).kind).toBe("stopped");
    const names = await world.disk.list(logDirectory);
    expect(names.filter((name) => name.includes("-"))).toEqual([]);
    expect(names.length > 0).toBe(how !== "delete");
  });

  test("damage is an error of the run, not an end of the log, and nothing is exchanged", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("x", "1")]]);
    await log.sync();
    world.disk.damage(`${logDirectory}/${segmentFileName(1, "log")}`, 70, Buffer.from("!"));
    await expect(compact(world, log)).rejects.toMatchObject({ code: "LOG_CORRUPT" });
    expect(log.failure).toBeUndefined();
    expect(log.segments.map(({ generation }) => generation)).toEqual([0, 0, 0]);
  });

  test("a full disk is an error of the run, and its file is removed", async () => {
    const world = makeTestLog({ tailBytesMax: 0 });
    const log = await open(world);
    await fill(log, [[put("a", "1")], [put("a", "2")], [put("x", "1")]]);
    await log.sync();
    world.disk.capacityBytes = world.disk.usedBytes + 50;
    await expect(compact(world, log)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(log.failure).toBeUndefined();
    expect((await world.disk.list(logDirectory)).filter((name) => name.includes("-"))).toEqual([]);
    expect(endOf(await readAll(log))).toBe(3);
  });
});

function boundsOf(world: TestLog, log: PartitionLog) {
  return {
    wallMs: world.clock.nowMs,
    settledOffset: log.endOffset,
    tombstonesKeptFrom: Number.POSITIVE_INFINITY,
  };
}
