import { describe, expect, test } from "vitest";
import type { LogChunk } from "../../../../broker/log/log-contract.ts";
import { FileSlot } from "../../../../broker/log/open-files.ts";
import { segmentFileName } from "../../../../shared/segment/segment-names.ts";
import { chunkAt, logDirectory, makeTestLog, readAll, turn, written } from "./log-fixture.ts";

describe("sync", () => {
  test("is one checkpoint for all who ask meanwhile, and nothing when all is synced", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    const kinds: string[] = [];
    world.disk.fault = (operation) => {
      kinds.push(operation.kind);
      return undefined;
    };
    await Promise.all([log.sync(), log.sync(), log.sync()]);
    await log.sync();
    expect(kinds).toEqual(["sync", "replace-file"]);
    log.append(chunkAt(1));
    await written(log);
    await log.sync();
    expect(kinds.slice(2)).toEqual(["write", "sync"]);
  });

  test("a segment begun during a checkpoint is not taken for synced by the next sync, as its folder entry is not", async () => {
    const waiting: (() => void)[] = [];
    let isSlow = false;
    const world = makeTestLog({
      schedule: (run, delay) => (isSlow && delay > 0 ? waiting.push(run) : queueMicrotask(run)),
    });
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    world.disk.fault = (operation) => (operation.kind === "replace-file" ? { kind: "delay", ms: 1 } : undefined);
    isSlow = true;
    const first = log.sync();
    await turn();
    log.append(chunkAt(1, { startsSegment: true }));
    // The folder is synced before the new file is made in it.
    world.disk.fault = (operation) => (operation.kind === "open" ? { kind: "delay", ms: 1 } : undefined);
    for (const run of waiting.splice(0)) run();
    await first;
    isSlow = false;
    world.disk.fault = undefined;
    for (const run of waiting.splice(0)) run();
    await written(log);
    await log.sync();
    expect(log.syncedOffset).toBe(2);
    world.disk.crash({ keepUnsynced: "none" });
    expect((await world.open()).endOffset).toBe(2);
  });
});

describe("failure", () => {
  test("a full disk: no acknowledgement, no more writes, reads go on; reopened it ends where it was written", async () => {
    const world = makeTestLog({ capacityBytes: 1_000 });
    const log = await world.open();
    let calls = 0;
    log.onProgress(() => {
      calls += 1;
    });
    const chunks = Array.from({ length: 30 }, (_, index) => chunkAt(index));
    for (const chunk of chunks) {
      if (log.failure === undefined) log.append(chunk);
      await turn();
    }
    expect(log.failure).toMatchObject({ code: "ENOSPC" });
    const size = (chunks[0] as LogChunk).bytes.length;
    expect(log.writtenOffset).toBe(Math.floor(1_000 / size));
    expect(calls).toBe(log.writtenOffset + 1);
    expect(() => log.append(chunkAt(log.endOffset))).toThrow(expect.objectContaining({ code: "ENOSPC" }));
    await expect(log.sync()).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(log.truncate(0)).rejects.toMatchObject({ code: "ENOSPC" });
    expect((await log.read(0, log.writtenOffset, 10_000, true)).length).toBe(log.writtenOffset);
    await log.close(true);
    world.disk.capacityBytes = 100_000;
    const again = await world.open({ pageCacheSurvived: true });
    expect(again.endOffset).toBe(log.writtenOffset);
    expect(again.recovery.truncatedBytes).toBe(1_000 % size);
  });

  test("a segment file that vanished does not come back with a hole: the log fails", async () => {
    const world = makeTestLog({ openFilesMax: 1 });
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    const other = new FileSlot("/data/other");
    await world.environment.files.acquire(other, true);
    world.environment.files.release(other);
    await world.disk.removeFile(`${logDirectory}/${segmentFileName(0, "log")}`);
    log.append(chunkAt(1));
    await written(log);
    expect(log.failure).toMatchObject({ code: "ENOENT" });
    expect(await world.disk.list(logDirectory)).toEqual([]);
  });

  test("garbage that a failed write left is cut at reopening", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0, { records: 3 }));
    await written(log);
    world.disk.fault = (operation) =>
      operation.kind === "write"
        ? { kind: "error", code: "EIO", writtenBytes: 80, garbage: Buffer.alloc(500, 0xa5) }
        : undefined;
    log.append(chunkAt(3));
    await written(log);
    world.disk.fault = undefined;
    expect(log.failure).toMatchObject({ code: "EIO" });
    const again = await world.open({ pageCacheSurvived: true });
    expect(again.endOffset).toBe(3);
    expect(await readAll(again)).toEqual(chunkAt(0, { records: 3 }).bytes);
  });

  test.each(["damaged", "gone"])(
    "what was written and is %s is not cut at reopening in the same process",
    async (how) => {
      const world = makeTestLog();
      const log = await world.open();
      for (const offset of [0, 1]) log.append(chunkAt(offset));
      await written(log);
      world.disk.fault = (operation) => (operation.kind === "write" ? { kind: "error", code: "EIO" } : undefined);
      log.append(chunkAt(2));
      await written(log);
      world.disk.fault = undefined;
      const file = `${logDirectory}/${segmentFileName(0, "log")}`;
      const half = chunkAt(0).bytes.length;
      if (how === "damaged") world.disk.damage(file, half + 61, Buffer.from("lost"));
      else await (await world.disk.open(file, { create: false })).truncate(half);
      const reopening = world.open({ pageCacheSurvived: true, writtenOffset: log.writtenOffset });
      await expect(reopening).rejects.toMatchObject({ code: "LOG_CORRUPT" });
      expect(world.disk.peek(file)?.length).toBe(how === "damaged" ? 2 * half : half);
      // A process that was started anew knows nothing of it.
      expect((await world.open({ pageCacheSurvived: true })).endOffset).toBe(1);
    },
  );

  test("a failed sync fails the log: the device's state is not known any more", async () => {
    const world = makeTestLog();
    const log = await world.open();
    log.append(chunkAt(0));
    await written(log);
    world.disk.fault = (operation) => (operation.kind === "sync" ? { kind: "error", code: "EIO" } : undefined);
    await expect(log.sync()).rejects.toMatchObject({ code: "EIO" });
    expect([log.failure !== undefined, log.syncedOffset]).toEqual([true, 0]);
  });

  test("a disk that never answers holds up the writes, not memory reads", async () => {
    const world = makeTestLog();
    const log = await world.open();
    world.disk.fault = (operation) => (operation.kind === "write" ? { kind: "stuck" } : undefined);
    log.append(chunkAt(0));
    log.append(chunkAt(1));
    await turn();
    expect([log.writtenOffset, log.endOffset]).toEqual([0, 2]);
    expect((log.readChunks(0, 1_000) as readonly LogChunk[]).length).toBe(2);
  });
});
