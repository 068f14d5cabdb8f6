import { describe, expect, test } from "vitest";
import { makeLogEnvironment } from "../../../../broker/log/log-environment.ts";
import { FileSlot, OpenFiles, withFile } from "../../../../broker/log/open-files.ts";
import { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { MemoryDisk } from "../../../../shared/ports/memory-disk.ts";
import { chunkAt, ManualClock, readAll, testConfig, turn, written } from "./log-fixture.ts";

const slots = (count: number) => Array.from({ length: count }, (_, index) => new FileSlot(`/data/${index}`));

describe("OpenFiles", () => {
  test("an open file is there at once; the least recently used is closed for another", async () => {
    const disk = new MemoryDisk();
    const files = new OpenFiles(disk, 2);
    const [one, two, three] = slots(3) as [FileSlot, FileSlot, FileSlot];
    for (const slot of [one, two, one, three]) {
      await files.acquire(slot, true);
      files.release(slot);
    }
    await turn();
    expect([one.file !== undefined, two.file !== undefined, three.file !== undefined]).toEqual([true, false, true]);
    expect(files.acquire(one, false)).toBe(one.file);
    expect(disk.openFiles).toBe(2);
  });

  test("when all are in use the next waits for a place", async () => {
    const files = new OpenFiles(new MemoryDisk(), 1);
    const [one, two] = slots(2) as [FileSlot, FileSlot];
    await files.acquire(one, true);
    let isOpen = false;
    const opening = Promise.resolve(files.acquire(two, true)).then(() => {
      isOpen = true;
    });
    await turn();
    expect(isOpen).toBe(false);
    files.release(one);
    await opening;
    expect([isOpen, files.openCount]).toEqual([true, 1]);
  });

  test("many at once over few places all come to an end, and no place is lost, also when openings fail", async () => {
    const disk = new MemoryDisk({ schedule: (run) => setImmediate(run) });
    disk.fault = (operation) =>
      operation.kind === "open" && operation.path.endsWith("7") ? { kind: "error", code: "EIO" } : undefined;
    const files = new OpenFiles(disk, 3);
    const all = slots(40);
    let most = 0;
    const work = all
      .flatMap((slot) => [slot, slot])
      .map((slot) =>
        withFile(files, slot, { create: true }, async (file) => {
          most = Math.max(most, disk.openFiles);
          await file.write(0, [Buffer.from("x")]);
        }),
      );
    const ended = await Promise.allSettled(work);
    expect(ended.filter((each) => each.status === "rejected").length).toBe(8);
    expect(most).toBeLessThanOrEqual(3);
    for (const slot of all) await files.retire(slot);
    expect([files.openCount, disk.openFiles]).toEqual([0, 0]);
  });

  test("a retired file is closed when its last user leaves, and not opened again", async () => {
    const files = new OpenFiles(new MemoryDisk(), 2);
    const [one] = slots(1) as [FileSlot];
    const file = await files.acquire(one, true);
    await files.retire(one);
    await file.write(0, [Buffer.from("still works")]);
    files.release(one);
    await turn();
    expect(files.openCount).toBe(0);
    await expect(files.acquire(one, true)).rejects.toMatchObject({ code: "FILE_RETIRED" });
  });
});

test("2,000 logs work with 16 open files: append, sync, read, close, open", async () => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const environment = makeLogEnvironment(disk, clock, { openFilesMax: 16, tailBytesMax: 100_000 });
  const open = (index: number) => PartitionLog.open(environment, `/data/t-${index}`, { config: testConfig });
  const logs = await Promise.all(Array.from({ length: 2_000 }, (_, index) => open(index)));
  for (let round = 0; round < 3; round += 1) {
    for (const log of logs) log.append(chunkAt(round * 2, { records: 2 }));
    await Promise.all(logs.map((log) => written(log)));
  }
  expect(disk.openFiles).toBeLessThanOrEqual(16);
  await Promise.all(logs.map((log) => log.sync()));
  expect(logs.every((log) => log.syncedOffset === 6)).toBe(true);
  const expected = Buffer.concat([0, 2, 4].map((offset) => chunkAt(offset, { records: 2 }).bytes));
  for (const log of logs.slice(0, 100)) expect(await readAll(log)).toEqual(expected);
  await Promise.all(logs.map((log) => log.close(true)));
  expect(disk.openFiles).toBe(0);
  const again = await Promise.all(logs.map((_, index) => open(index)));
  expect(again.every((log) => log.endOffset === 6 && log.recovery.scannedBytes === 0)).toBe(true);
  expect(disk.openFiles).toBeLessThanOrEqual(16);
});
