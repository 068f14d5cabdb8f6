import { describe, expect, test, vi } from "vitest";
import { writesInFlightMax } from "../../../../broker/log/limits.ts";
import type { LogChunk } from "../../../../broker/log/log-contract.ts";
import { PartitionLog } from "../../../../broker/log/partition-log.ts";
import type { DiskFault } from "../../../../shared/ports/memory-disk.ts";
import { segmentFileName } from "../../../../shared/segment/segment-names.ts";
import { chunkAt, logDirectory, makeTestLog, readAll, testConfig, turn, written } from "./log-fixture.ts";

const file = (base: number, kind: "log" | "index" | "snapshot" = "log") =>
  `${logDirectory}/${segmentFileName(base, kind)}`;

describe("append", () => {
  test("offsets, epochs and producers move at once; writtenOffset when the write ended", async () => {
    const log = await makeTestLog().open();
    log.append(chunkAt(0, { epoch: 3, records: 5, producerId: 7, producerEpoch: 0, baseSequence: 0 }));
    expect([log.endOffset, log.writtenOffset, log.syncedOffset]).toEqual([5, 0, 0]);
    expect(log.epochs.entries).toEqual([{ epoch: 3, startOffset: 0 }]);
    expect(log.producers.size).toBe(1);
    await written(log);
    expect([log.endOffset, log.writtenOffset, log.syncedOffset]).toEqual([5, 5, 0]);
    await log.sync();
    expect(log.syncedOffset).toBe(5);
  });

  test("what comes while a write is under way is joined into the next", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    const writes: number[] = [];
    world.disk.fault = (operation) => {
      if (operation.kind === "write") writes.push(operation.bytes);
      return undefined;
    };
    const chunks = Array.from({ length: 10 }, (_, index) => chunkAt(index + 1));
    let progress = 0;
    log.onProgress(() => {
      progress += 1;
    });
    for (const chunk of chunks) log.append(chunk);
    await written(log);
    const [first] = chunks as [LogChunk];
    expect(writes).toEqual([first.bytes.length, 9 * first.bytes.length]);
    expect(progress).toBe(2);
    expect(world.disk.peek(file(0))).toEqual(Buffer.concat([chunkAt(0), ...chunks].map((chunk) => chunk.bytes)));
  });

  describe("of many logs a few write at a time", () => {
    async function appendToMany(faultOf: (write: number) => DiskFault | undefined) {
      const { environment, disk } = makeTestLog();
      const open = (partition: number) =>
        PartitionLog.open(environment, `/data/topic-${partition}`, { config: testConfig });
      const logs = await Promise.all(Array.from({ length: 3 * writesInFlightMax }, (_, partition) => open(partition)));
      let writes = 0;
      disk.fault = ({ kind }) => (kind === "write" ? faultOf(++writes) : undefined);
      for (const log of logs) log.append(chunkAt(0));
      return { logs, writes: () => writes, environment };
    }

    test("a disk that stops holds no more than these", async () => {
      const { logs, writes } = await appendToMany(() => ({ kind: "stuck" }));
      for (let turns = 0; turns < 100; turns++) await turn();
      expect(writes()).toBe(writesInFlightMax);
      expect(logs.every(({ writtenOffset }) => writtenOffset === 0)).toBe(true);
    });

    test("one that waits for its turn can be deleted, and who searches it is told", async () => {
      const { logs } = await appendToMany(() => ({ kind: "stuck" }));
      for (let turns = 0; turns < 10; turns++) await turn();
      const waiting = logs.at(-1) as PartitionLog;
      const search = waiting.offsetForTimestamp(0, 1).catch(() => "the log is gone");
      await waiting.delete();
      expect([undefined, "the log is gone"]).toContain(await search);
    });

    test("what a closed or failed log has not written counts no more", async () => {
      const { logs, environment } = await appendToMany((write) =>
        write === 1 ? { kind: "error", code: "EIO" } : { kind: "stuck" },
      );
      const bytes = chunkAt(0).bytes.length;
      const counted = vi.spyOn(environment.writes, "countUnwritten");
      for (let turns = 0; turns < 10; turns++) await turn();
      expect(counted.mock.calls).toEqual([[-bytes]]);
      await logs.at(-1)?.delete();
      expect(counted.mock.calls).toEqual([[-bytes], [-bytes]]);
    });

    test("one whose write fails holds up no other", async () => {
      const { logs } = await appendToMany((write) => (write === 1 ? { kind: "error", code: "EIO" } : undefined));
      await Promise.all(logs.map(written));
      expect(logs.filter(({ failure }) => failure !== undefined).length).toBe(1);
      expect(logs.filter(({ writtenOffset }) => writtenOffset === 1).length).toBe(logs.length - 1);
    });
  });

  test.each<[string, Partial<LogChunk>]>([
    ["a gap", { baseOffset: 6 }],
    ["a wrong end", { endOffset: 9 }],
    ["another epoch than its batches", { epoch: 2 }],
    ["a torn batch", { bytes: chunkAt(5, { records: 2 }).bytes.subarray(0, 70) }],
    ["no batch", { bytes: Buffer.alloc(0) }],
  ])("a chunk with %s is refused and changes nothing", async (_, wrong) => {
    const log = await makeTestLog().open();
    log.append(chunkAt(0, { records: 5 }));
    expect(() => log.append({ ...chunkAt(5, { records: 2 }), ...wrong })).toThrow(
      expect.objectContaining({ code: "CHUNK_INVALID" }),
    );
    expect([log.endOffset, log.sizeBytes]).toEqual([5, chunkAt(0, { records: 5 }).bytes.length]);
  });

  test("an epoch below the last one is refused", async () => {
    const log = await makeTestLog().open();
    log.append(chunkAt(0, { epoch: 2 }));
    expect(() => log.append(chunkAt(1, { epoch: 1 }))).toThrow(expect.objectContaining({ code: "CHUNK_INVALID" }));
  });

  test("the leader's word begins a segment, exactly there; index and snapshot are written for it", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0, { records: 3, startsSegment: true }));
    log.append(chunkAt(3, { records: 3 }));
    log.append(chunkAt(6, { records: 3, startsSegment: true }));
    await written(log);
    await log.sync();
    expect(await world.disk.list(logDirectory)).toEqual([
      segmentFileName(0, "index"),
      segmentFileName(0, "log"),
      segmentFileName(6, "log"),
      segmentFileName(6, "snapshot"),
      "log.state",
    ]);
    expect(log.segments.map((segment) => [segment.baseOffset, segment.endOffset])).toEqual([
      [0, 6],
      [6, 9],
    ]);
  });

  test("shouldRoll looks at size, age and whether there is a segment", async () => {
    const world = makeTestLog();
    const chunk = chunkAt(0);
    const log = await world.open({ config: { segmentBytes: chunk.bytes.length * 2, segmentMs: 1_000 } });
    const now = world.clock.nowMs;
    expect(log.shouldRoll(1, now)).toBe(true);
    log.append(chunk);
    expect(log.shouldRoll(chunk.bytes.length, now + 999)).toBe(false);
    expect(log.shouldRoll(chunk.bytes.length + 1, now)).toBe(true);
    expect(log.shouldRoll(1, now + 1_000)).toBe(true);
  });
});

describe("read", () => {
  async function filled(options: Parameters<typeof makeTestLog>[0], count = 50) {
    const world = makeTestLog(options);
    const log = await world.open();
    const chunks: LogChunk[] = [];
    for (let offset = 0; offset < count * 3; offset += 3) {
      chunks.push(chunkAt(offset, { records: 3, startsSegment: offset % 60 === 0 }));
      log.append(chunks.at(-1) as LogChunk);
    }
    await written(log);
    return { world, log, chunks };
  }

  test("from memory it is synchronous and gives the very buffers that were appended", async () => {
    const { log, chunks } = await filled({});
    const buffers = log.read(30, 150, 1_000_000, true) as readonly Buffer[];
    expect(buffers.length).toBe(40);
    expect(buffers[0]).toBe(chunks[10]?.bytes);
  });

  test.each([
    ["memory", {}],
    ["disk", { tailBytesMax: 0 }],
  ])("from %s: all offsets, bounds and sizes give whole batches", async (_, options) => {
    const { log, chunks } = await filled(options);
    const size = (chunks[20] as LogChunk).bytes.length;
    const of = async (offset: number, bound: number, maxBytes: number, atLeastOne: boolean) =>
      Buffer.concat([...(await log.read(offset, bound, maxBytes, atLeastOne))]);
    const joined = (from: number, to: number) => Buffer.concat(chunks.slice(from, to).map((chunk) => chunk.bytes));
    expect(await of(61, 150, size, true)).toEqual(joined(20, 21));
    expect(await of(62, 150, size * 3 + 5, true)).toEqual(joined(20, 23));
    expect(await of(60, 150, size - 1, true)).toEqual(joined(20, 21));
    expect(await of(60, 150, size - 1, false).then((bytes) => bytes.length)).toBe(0);
    expect(await of(60, 67, 1_000_000, true)).toEqual(joined(20, 22));
    expect(await of(60, 62, 1_000_000, true).then((bytes) => bytes.length)).toBe(0);
    expect(await of(150, 150, 1_000_000, true).then((bytes) => bytes.length)).toBe(0);
    for (let offset = 0; offset < 150; offset += 7) {
      expect(await readAll(log, offset, size * 4)).toEqual(joined(Math.floor(offset / 3), 50));
    }
  });

  test.each([
    ["memory", {}],
    ["disk", { tailBytesMax: 0 }],
  ])("readChunks from %s gives a follower the same log, segments and epochs", async (_, options) => {
    const { log, chunks } = await filled(options);
    const other = await makeTestLog().open();
    while (other.endOffset < log.endOffset) {
      for (const chunk of await log.readChunks(other.endOffset, 700)) other.append(chunk);
    }
    await written(other);
    expect(await readAll(other)).toEqual(Buffer.concat(chunks.map((chunk) => chunk.bytes)));
    expect(other.epochs.equals(log.epochs)).toBe(true);
    expect(other.segments.map((segment) => segment.sizeBytes)).toEqual(
      log.segments.map((segment) => segment.sizeBytes),
    );
  });

  test("a batch larger than a block and than maxBytes still comes, whole", async () => {
    const log = await makeTestLog({ tailBytesMax: 0 }).open();
    const large = chunkAt(1, { valueBytes: 700_000 });
    log.append(chunkAt(0));
    log.append(large);
    log.append(chunkAt(2));
    await written(log);
    expect(await log.read(1, 3, 10, true)).toEqual([large.bytes]);
    expect(await log.readChunks(1, 10)).toEqual([large]);
  });

  test("chunks of several batches are split at bounds and epochs", async () => {
    for (const options of [{}, { tailBytesMax: 0 }]) {
      const log = await makeTestLog(options).open();
      const one = chunkAt(0, { batches: 4, records: 2 });
      const two = chunkAt(8, { batches: 2, records: 2, epoch: 2 });
      log.append(one);
      log.append(two);
      await written(log);
      const batch = one.bytes.length / 4;
      expect(Buffer.concat([...(await log.read(3, 7, 1_000_000, true))])).toEqual(one.bytes.subarray(batch, 3 * batch));
      const chunks = await log.readChunks(4, 1_000_000);
      expect(chunks.map((chunk) => [chunk.baseOffset, chunk.endOffset, chunk.epoch])).toEqual([
        [4, 8, 1],
        [8, 12, 2],
      ]);
    }
  });

  test("a damaged batch is never given to a follower, a damaged header to nobody", async () => {
    const { world, log } = await filled({ tailBytesMax: 0 });
    world.disk.damage(file(60), 90, Buffer.from([0xff]));
    await expect(log.readChunks(60, 1_000)).rejects.toMatchObject({ code: "LOG_CORRUPT" });
    world.disk.damage(file(60), 16, Buffer.from([7]));
    await expect(log.read(60, 150, 1_000, true)).rejects.toMatchObject({ code: "LOG_CORRUPT" });
    expect((await log.read(0, 150, 1_000, true)).length).toBe(1);
  });

  test("a lost or damaged index is made again", async () => {
    const { world, log, chunks } = await filled({ tailBytesMax: 0 });
    await log.close(true);
    await world.disk.removeFile(file(0, "index"));
    world.disk.damage(file(60, "index"), 30, Buffer.from([9, 9, 9]));
    const again = await world.open();
    expect(await readAll(again)).toEqual(Buffer.concat(chunks.map((chunk) => chunk.bytes)));
  });
});

describe("truncate", () => {
  test.each([0, 10, 29, 30, 31, 45, 59, 60, 61, 89])(
    "to %i: what is below stays, in memory and on disk",
    async (offset) => {
      const world = makeTestLog();
      const log = await world.open();
      const chunks = Array.from({ length: 30 }, (_, index) =>
        chunkAt(index * 3, { records: 3, epoch: 1 + Math.floor(index / 10), startsSegment: index % 10 === 0 }),
      );
      for (const chunk of chunks) log.append(chunk);
      await log.truncate(offset);
      const kept = chunks.filter((chunk) => chunk.endOffset <= offset);
      const end = kept.at(-1)?.endOffset ?? 0;
      const expected = Buffer.concat(kept.map((chunk) => chunk.bytes));
      for (const each of [log, await world.open()]) {
        expect([each.startOffset, each.endOffset, each.writtenOffset, each.syncedOffset]).toEqual([0, end, end, end]);
        expect(await readAll(each)).toEqual(expected);
        expect(each.epochs.lastEpoch).toBe(kept.at(-1)?.epoch ?? -1);
        expect(each.sizeBytes).toBe(expected.length);
      }
    },
  );

  test.each([
    ["memory", {}, false],
    ["disk", { tailBytesMax: 0 }, false],
    ["disk, after a restart", { tailBytesMax: 0 }, true],
  ])("the log goes on after it, in another epoch, and nothing old is left: %s", async (_, options, isRestarted) => {
    const world = makeTestLog(options);
    let log = await world.open();
    for (let offset = 0; offset < 100; offset += 1) log.append(chunkAt(offset, { valueBytes: 100 }));
    if (isRestarted) {
      await log.close(true);
      log = await world.open();
    }
    await log.truncate(50);
    const chunks = Array.from({ length: 60 }, (_, index) => chunkAt(50 + index, { epoch: 2, valueBytes: 37 }));
    for (const chunk of chunks) log.append(chunk);
    await written(log);
    for (const each of [log, await world.open()]) {
      for (let offset = 50; offset < 110; offset += 1) {
        expect(await each.read(offset, offset + 1, 1_000, true)).toEqual([chunks[offset - 50]?.bytes]);
      }
    }
  });

  test("producers go back: from the snapshot of the segment and its headers", async () => {
    const log = await makeTestLog().open();
    const chunk = (index: number) =>
      chunkAt(index, { producerId: 5, producerEpoch: 0, baseSequence: index, startsSegment: index % 4 === 0 });
    for (let index = 0; index < 12; index += 1) log.append(chunk(index));
    await log.truncate(10);
    expect(log.producers.find(5)?.batches.map((batch) => batch.baseSequence)).toEqual([5, 6, 7, 8, 9]);
    await log.truncate(8);
    expect(log.producers.find(5)?.batches.map((batch) => batch.baseSequence)).toEqual([3, 4, 5, 6, 7]);
    await log.truncate(2);
    expect(log.producers.find(5)?.batches.map((batch) => batch.baseSequence)).toEqual([0, 1]);
  });

  test("leaves no file of what was cut: a stale snapshot would bring back producers of another history", async () => {
    const world = makeTestLog();
    const log = await world.open();
    for (let index = 0; index < 6; index += 1) log.append(chunkAt(index, { startsSegment: index % 2 === 0 }));
    await log.sync();
    await log.truncate(2);
    expect(await world.disk.list(logDirectory)).toEqual([segmentFileName(0, "log"), "log.state"]);
  });

  test("append is refused until it is done", async () => {
    const log = await makeTestLog().open();
    log.append(chunkAt(0, { records: 4 }));
    const done = log.truncate(0);
    expect(() => log.append(chunkAt(4))).toThrow(expect.objectContaining({ code: "LOG_UNAVAILABLE" }));
    await done;
    log.append(chunkAt(0));
    expect(log.endOffset).toBe(1);
  });

  test("restartAt begins again, empty, higher or lower", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0, { records: 10 }));
    await log.restartAt(500);
    log.append(chunkAt(500, { epoch: 4 }));
    await written(log);
    const again = await world.open();
    expect([again.startOffset, again.endOffset, again.epochs.lastEpoch]).toEqual([500, 501, 4]);
    await again.restartAt(20);
    const third = await world.open();
    expect([third.startOffset, third.endOffset, third.sizeBytes]).toEqual([20, 20, 0]);
  });
});

describe("raiseStart", () => {
  async function threeSegments() {
    const world = makeTestLog();
    const log = await world.open();
    for (let index = 0; index < 9; index += 1)
      log.append(chunkAt(index * 10, { records: 10, startsSegment: index % 3 === 0 }));
    return { world, log };
  }

  test("drops whole segments, survives a restart, never falls", async () => {
    const { world, log } = await threeSegments();
    await log.raiseStart(35);
    await log.raiseStart(20);
    const again = await world.open();
    for (const each of [log, again]) {
      expect([each.startOffset, each.endOffset]).toEqual([35, 90]);
      expect(each.segments.map((segment) => segment.baseOffset)).toEqual([30, 60]);
      expect(each.epochs.entries).toEqual([{ epoch: 1, startOffset: 35 }]);
      expect(await each.read(34, 90, 1_000, true)).toEqual([]);
    }
    expect((await world.disk.list(logDirectory)).filter((name) => name.startsWith("00000000000000000000"))).toEqual([]);
  });

  test("to the end empties the log, which goes on in a new segment", async () => {
    const { world, log } = await threeSegments();
    await log.raiseStart(1_000);
    expect([log.startOffset, log.endOffset, log.sizeBytes, log.shouldRoll(1, world.clock.nowMs)]).toEqual([
      90,
      90,
      0,
      true,
    ]);
    log.append(chunkAt(90, { epoch: 2 }));
    await written(log);
    const again = await world.open();
    expect([again.startOffset, again.endOffset]).toEqual([90, 91]);
    expect(again.epochs.entries).toEqual([{ epoch: 2, startOffset: 90 }]);
  });

  test("a growing segment that was empty at the rise is not taken for dropped at recovery", async () => {
    const { world, log } = await threeSegments();
    await log.raiseStart(60);
    const rising = log.raiseStart(90);
    log.append(chunkAt(90, { records: 10 }));
    await rising;
    await written(log);
    expect(log.segments.map((segment) => segment.baseOffset)).toEqual([60]);
    const again = await world.open();
    expect([again.startOffset, again.endOffset]).toEqual([90, 100]);
  });
});

describe("close and delete", () => {
  test("after a clean close nothing is walked at open, and producers and epochs are there", async () => {
    const world = makeTestLog();
    const log = await world.open();
    for (let index = 0; index < 20; index += 1) {
      log.append(chunkAt(index, { producerId: 9, producerEpoch: 1, baseSequence: index, startsSegment: index === 10 }));
    }
    await log.close(true);
    expect(() => log.append(chunkAt(20))).toThrow(expect.objectContaining({ code: "LOG_UNAVAILABLE" }));
    expect(world.disk.openFiles).toBe(0);
    const again = await world.open();
    expect(again.recovery).toMatchObject({ scannedBytes: 0, truncatedBytes: 0, firstBadOffset: undefined });
    expect([again.endOffset, again.syncedOffset]).toEqual([20, 20]);
    expect(again.producers.find(9)?.batches.length).toBe(5);
    expect(again.producers.find(9)?.lastSeenMs).toBe(world.clock.nowMs);
  });

  test("closing a clean log again writes nothing", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await log.close(true);
    const again = await world.open();
    let writes = 0;
    world.disk.fault = (operation) => {
      if (operation.kind === "replace-file" || operation.kind === "write") writes += 1;
      return undefined;
    };
    await again.close(true);
    expect(writes).toBe(0);
  });

  test("delete leaves nothing, also after a power loss", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await log.sync();
    await log.delete();
    expect(await world.disk.list("/data")).toEqual([]);
    world.disk.crash({ keepUnsynced: "none" });
    const again = await world.open();
    expect([again.startOffset, again.endOffset]).toEqual([0, 0]);
  });
});
