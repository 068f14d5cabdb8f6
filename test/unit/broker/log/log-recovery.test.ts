import { describe, expect, test } from "vitest";
import { logStateFileName, segmentFileName } from "../../../../shared/segment/segment-names.ts";
import { chunkAt, logDirectory, makeTestLog, readAll, type TestLog, written } from "./log-fixture.ts";

const file = (base: number, kind: "log" | "index" | "snapshot" = "log") =>
  `${logDirectory}/${segmentFileName(base, kind)}`;
const state = `${logDirectory}/${logStateFileName}`;

/** Segments [0, 20) and [20, 40), written; synced and checkpointed up to `syncedAt`. */
async function twoSegments(syncedAt: number): Promise<TestLog> {
  const world = makeTestLog();
  const log = await world.open();
  for (let offset = 0; offset < 40; offset += 2) {
    if (offset === syncedAt) {
      await written(log);
      await log.sync();
    }
    log.append(chunkAt(offset, { records: 2, startsSegment: offset === 20, epoch: 1 + Math.floor(offset / 10) }));
  }
  await written(log);
  return world;
}

const chunkBytes = chunkAt(0, { records: 2 }).bytes.length;

describe("a torn tail", () => {
  test("is cut at every byte of the last batch, and the log goes on", async () => {
    const last = chunkAt(4, { records: 2 });
    for (let kept = 0; kept < last.bytes.length; kept += 1) {
      const world = makeTestLog();
      const log = await world.open();
      log.append(chunkAt(0, { records: 4 }));
      await written(log);
      world.disk.fault = (operation) =>
        operation.kind === "write" ? { kind: "error", code: "EIO", writtenBytes: kept } : undefined;
      log.append(last);
      await written(log);
      world.disk.fault = undefined;
      const again = await world.open({ pageCacheSurvived: true });
      expect(again.recovery).toMatchObject({ endOffset: 4, truncatedBytes: kept, lostGoodData: false });
      expect(again.recovery.firstBadOffset).toBe(kept === 0 ? undefined : 4);
      again.append(last);
      await written(again);
      const third = await world.open({ pageCacheSurvived: true });
      expect(third.endOffset).toBe(6);
    }
  });

  test("is cut when any single byte of the last batch is damaged, leader epoch and length field included or not", async () => {
    const last = chunkAt(4, { records: 2, epoch: 1 });
    for (let at = 0; at < last.bytes.length; at += 1) {
      // The leader epoch is outside the checksum: a higher one cannot be told from a true one.
      if (at >= 12 && at < 16) continue;
      const world = makeTestLog();
      const log = await world.open();
      log.append(chunkAt(0, { records: 4 }));
      log.append(last);
      await written(log);
      const bytes = Buffer.of((last.bytes[at] as number) ^ 0x41);
      world.disk.damage(file(0), log.sizeBytes - last.bytes.length + at, bytes);
      const again = await world.open();
      expect(again.endOffset).toBe(4);
      expect(await readAll(again)).toEqual(chunkAt(0, { records: 4 }).bytes);
    }
  });

  test("an epoch that goes back is cut, although the batch is whole", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0, { epoch: 5 }));
    log.append(chunkAt(1, { epoch: 5 }));
    await written(log);
    world.disk.damage(file(0), chunkAt(0).bytes.length + 12, Buffer.from([0, 0, 0, 4]));
    expect((await world.open()).endOffset).toBe(1);
  });

  test("an empty file of a segment that was about to begin is no damage", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    await world.disk.open(file(1), { create: true });
    const again = await world.open({ pageCacheSurvived: true });
    expect(again.recovery).toMatchObject({ endOffset: 1, firstBadOffset: undefined, removedSegments: 1 });
    again.append(chunkAt(1, { startsSegment: true }));
    await written(again);
    expect((await world.open({ pageCacheSurvived: true })).endOffset).toBe(2);
  });
});

describe("damage in the middle", () => {
  test("is cut after a power loss, and the report says that good data is lost", async () => {
    const world = await twoSegments(40);
    world.disk.damage(file(0), 3 * chunkBytes + 70, Buffer.from([0xee]));
    const log = await world.open();
    expect(log.recovery).toMatchObject({ endOffset: 6, firstBadOffset: 6, lostGoodData: true, removedSegments: 1 });
    expect(log.recovery.truncatedBytes).toBe(7 * chunkBytes);
    expect(log.syncedOffset).toBe(6);
    world.disk.crash({ keepUnsynced: "none" });
    expect((await world.open()).endOffset).toBe(6);
  });

  test.each([
    ["in the segment where the log ends", 20, 2 * chunkBytes + 70],
    ["in a segment that another follows", 0, 9 * chunkBytes + 70],
  ])("%s is an error when the page cache survived, and nothing is cut", async (_, base, position) => {
    const world = await twoSegments(-1);
    world.disk.damage(file(base), position, Buffer.from([0xee]));
    const before = [world.disk.peek(file(0)), world.disk.peek(file(20))];
    await expect(world.open({ pageCacheSurvived: true })).rejects.toMatchObject({ code: "LOG_CORRUPT" });
    expect([world.disk.peek(file(0)), world.disk.peek(file(20))]).toEqual(before);
  });

  test("below the checkpoint is found by whoever reads it", async () => {
    const world = await twoSegments(30);
    world.disk.damage(file(0), 3 * chunkBytes + 16, Buffer.from([0xee]));
    const log = await world.open();
    expect(log.endOffset).toBe(40);
    await expect(Promise.resolve(log.read(6, 40, 1_000, true))).rejects.toMatchObject({ code: "LOG_CORRUPT" });
  });
});

describe("what was synced must be there", () => {
  test("a shorter segment is an error", async () => {
    const world = await twoSegments(30);
    const handle = await world.disk.open(file(20), { create: false });
    await handle.truncate(4 * chunkBytes);
    await expect(world.open()).rejects.toMatchObject({ code: "LOG_CORRUPT" });
  });

  test("a missing segment is an error", async () => {
    const world = await twoSegments(30);
    await world.disk.removeFile(file(0));
    await expect(world.open()).rejects.toMatchObject({ code: "LOG_CORRUPT" });
  });

  test("a damaged state file is an error", async () => {
    const world = await twoSegments(30);
    world.disk.damage(state, 20, Buffer.from([1]));
    await expect(world.open()).rejects.toMatchObject({ code: "LOG_CORRUPT" });
  });

  test("a version of the state file from the future is an error", async () => {
    const world = await twoSegments(30);
    world.disk.damage(state, 4, Buffer.from([0, 9]));
    await expect(world.open()).rejects.toMatchObject({ code: "LOG_CORRUPT" });
  });
});

describe("recovery", () => {
  test("walks only what lies beyond the checkpoint", async () => {
    const world = await twoSegments(30);
    const log = await world.open({ pageCacheSurvived: true });
    expect(log.recovery).toMatchObject({ endOffset: 40, scannedBytes: 5 * chunkBytes, truncatedBytes: 0 });
    expect(log.syncedOffset).toBe(30);
    await log.sync();
    expect(log.syncedOffset).toBe(40);
    expect((await world.open()).recovery.scannedBytes).toBe(0);
  });

  test("without any checkpoint walks all, and epochs and segments are those of before", async () => {
    const world = await twoSegments(-1);
    const log = await world.open();
    expect(log.recovery.scannedBytes).toBe(20 * chunkBytes);
    expect(log.epochs.entries.map((entry) => entry.startOffset)).toEqual([0, 10, 20, 30]);
    expect(log.segments.map((segment) => segment.baseOffset)).toEqual([0, 20]);
  });

  test("removes index and snapshot files whose segment is gone", async () => {
    const world = await twoSegments(40);
    await world.disk.replaceFile(file(70, "index"), Buffer.from("x"));
    await world.disk.replaceFile(file(70, "snapshot"), Buffer.from("x"));
    await world.open();
    expect((await world.disk.list(logDirectory)).filter((name) => name.includes("70."))).toEqual([]);
  });

  test("a cut that a crash interrupted is finished", async () => {
    const world = await twoSegments(40);
    const log = await world.open();
    const cutting = Promise.withResolvers<void>();
    world.disk.fault = (operation) => {
      if (operation.kind !== "remove-file") return undefined;
      cutting.resolve();
      return { kind: "stuck" };
    };
    log.truncate(10).catch(() => undefined);
    await cutting.promise;
    world.disk.fault = undefined;
    world.disk.crash({ keepUnsynced: "all" });
    const again = await world.open();
    expect(again.recovery).toMatchObject({ finishedCut: true, endOffset: 10, truncatedBytes: 5 * chunkBytes });
    expect(await world.disk.list(logDirectory)).toEqual([segmentFileName(0, "log"), logStateFileName]);
  });
});
