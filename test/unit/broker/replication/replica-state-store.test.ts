import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplicaStateStore } from "../../../../broker/replication/replica-state-store.ts";
import { type DiskFault, type DiskOperation, MemoryDisk } from "../../../../shared/ports/memory-disk.ts";

const directory = "/data";
const path = "/data/replica-state.log";
const topic = "00112233445566778899aabbccddeeff";
const other = "ffeeddccbbaa99887766554433221100";
const recordBytes = 32;

const open = (disk: MemoryDisk, suspect = false) => ReplicaStateStore.open(disk, directory, { suspect });
const state = (promisedEpoch: number, acceptedEpoch: number) => ({ promisedEpoch, acceptedEpoch });
const content = async (disk: MemoryDisk) => (await disk.readFile(path)) ?? Buffer.alloc(0);

/** Replaces the journal's bytes, as a fault of the disk would. */
async function damage(disk: MemoryDisk, change: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = change(Buffer.from(await content(disk)));
  await disk.replaceFile(path, bytes);
}

/** Lets the n-th operation of a kind fail, counted from 1. */
function failNth(
  kind: DiskOperation["kind"],
  nth: number,
  fault: DiskFault,
): (operation: DiskOperation) => DiskFault | undefined {
  let seen = 0;
  return (operation) => (operation.kind === kind && ++seen === nth ? fault : undefined);
}

describe("ReplicaStateStore", () => {
  test("a replica that nothing was saved of has promised nothing", async () => {
    const store = await open(new MemoryDisk());
    expect(store.get(topic, 0)).toEqual(state(0, 0));
  });

  test("the newest state of each replica is found again after the process died", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await Promise.all([store.save(topic, 0, state(1, 0)), store.save(topic, 1, state(7, 7))]);
    await store.save(topic, 0, state(2, 1));
    await store.save(other, 0, state(4, 4));
    disk.crash({ keepUnsynced: "all" });

    const again = await open(disk);

    expect(again.get(topic, 0)).toEqual(state(2, 1));
    expect(again.get(topic, 1)).toEqual(state(7, 7));
    expect(again.get(other, 0)).toEqual(state(4, 4));
  });

  test("a removed replica has promised nothing, and may promise anew", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await store.save(topic, 0, state(5, 5));
    await store.remove(topic, 0);
    await store.remove(topic, 0);
    expect((await open(disk)).get(topic, 0)).toEqual(state(0, 0));
    await store.save(topic, 0, state(6, 0));
    expect((await open(disk)).get(topic, 0)).toEqual(state(6, 0));
  });

  test("all saves of one turn share one write, and are acknowledged in order", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    let writes = 0;
    disk.fault = ({ kind }) => {
      writes += kind === "write" ? 1 : 0;
      return undefined;
    };
    const done: number[] = [];
    const saves = Array.from({ length: 100 }, (_, n) => store.save(topic, n, state(1, 1)).then(() => done.push(n)));
    await Promise.all(saves);
    expect(writes).toBe(1);
    expect(done).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test("what was synced survives a power cut, what was only written need not", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    // A new file's folder entry is durable only once the folder was synced.
    await store.clear();
    await store.save(topic, 0, state(1, 1));
    await store.sync();
    await store.save(topic, 0, state(2, 2));
    disk.crash({ keepUnsynced: "none" });
    expect((await open(disk, true)).get(topic, 0)).toEqual(state(1, 1));
  });

  test("a sync with nothing to sync costs nothing; one that failed is made up for", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    let syncs = 0;
    disk.fault = ({ kind }) => {
      if (kind !== "sync") return undefined;
      syncs += 1;
      return syncs === 1 ? { kind: "error", code: "EIO" } : undefined;
    };
    await store.save(topic, 0, state(1, 1));
    await expect(store.sync()).rejects.toThrow("EIO");
    await store.sync();
    await store.sync();
    expect(syncs).toBe(2);
  });
});

test("the journal's format stays: topic id, partition, promised, accepted, crc32", async () => {
  const disk = new MemoryDisk();
  const store = await open(disk);
  await store.save(topic, 7, state(3, 2));
  await store.remove(topic, 7);
  expect((await content(disk)).toString("hex").match(/.{64}/g)).toEqual([
    "00112233445566778899aabbccddeeff07000000030000000200000011729660",
    "00112233445566778899aabbccddeeff07000000ffffffffffffffff0cbd7600",
  ]);
});

describe("a torn or damaged journal", () => {
  test("whatever is cut off at the end, all whole records before it count", async () => {
    const whole = new MemoryDisk();
    const store = await open(whole);
    for (let epoch = 1; epoch <= 3; epoch++) await store.save(topic, epoch, state(epoch, epoch));
    const bytes = await content(whole);
    for (let length = 0; length <= bytes.length; length++) {
      const disk = new MemoryDisk();
      await disk.replaceFile(path, bytes.subarray(0, length));
      const cut = await open(disk);
      const records = Math.floor(length / recordBytes);
      for (let epoch = 1; epoch <= 3; epoch++)
        expect(cut.get(topic, epoch)).toEqual(epoch <= records ? state(epoch, epoch) : state(0, 0));
      await cut.save(topic, 9, state(9, 9));
      expect((await content(disk)).length).toBe((records + 1) * recordBytes);
    }
  });

  test("a broken record before sound ones is an error, unless a power cut may have taken pages", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    for (let epoch = 1; epoch <= 3; epoch++) await store.save(topic, epoch, state(epoch, epoch));
    await damage(disk, (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(recordBytes + 20) ^ 1, recordBytes + 20);
      return bytes;
    });
    await expect(open(disk)).rejects.toThrow("record at 32 is broken");
    const suspect = await open(disk, true);
    expect([1, 2, 3].map((partition) => suspect.get(topic, partition).promisedEpoch)).toEqual([1, 0, 0]);
  });
});

describe("a failing disk", () => {
  test("a save that was not written rejects, and the next one is written", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    disk.fault = failNth("write", 1, { kind: "error", code: "ENOSPC" });
    await expect(store.save(topic, 0, state(1, 0))).rejects.toThrow("ENOSPC");
    await store.save(topic, 0, state(2, 0));
    expect((await open(disk)).get(topic, 0)).toEqual(state(2, 0));
  });

  test("records that a failed write left behind are never read as newer than what was saved after it", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    disk.fault = failNth("write", 1, { kind: "error", code: "EIO", writtenBytes: 3 * recordBytes });
    const failing = [1, 2, 3].map((partition) => store.save(topic, partition, state(3, 3)));
    await Promise.allSettled(failing);

    await store.save(topic, 3, state(4, 2));

    expect((await open(disk)).get(topic, 3)).toEqual(state(4, 2));
  });

  test("nothing is written behind what a failed write left until that could be cut off", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    disk.fault = failNth("write", 1, { kind: "error", code: "EIO", writtenBytes: 40 });
    await expect(store.save(topic, 0, state(1, 1))).rejects.toThrow("EIO");
    disk.fault = failNth("truncate", 1, { kind: "error", code: "EIO" });
    await expect(store.save(topic, 0, state(2, 2))).rejects.toThrow("EIO");
    await store.save(topic, 0, state(3, 3));
    expect((await content(disk)).length).toBe(recordBytes);
  });

  test("whatever fails, a restart finds each replica as last saved, or as a save says that may not have failed", async () => {
    const step = fc.record({
      partition: fc.integer({ min: 0, max: 2 }),
      fault: fc.option(fc.integer({ min: 0, max: 100 })),
      alone: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const disk = new MemoryDisk();
        const store = await open(disk);
        const saved = new Map<number, number>();
        let epoch = 0;
        let pending: Promise<void>[] = [];
        for (const { partition, fault, alone } of steps) {
          epoch += 1;
          const promised = epoch;
          if (alone) {
            await Promise.all(pending.splice(0));
            disk.fault =
              fault === null ? undefined : failNth("write", 1, { kind: "error", code: "EIO", writtenBytes: fault });
          }
          pending.push(
            store.save(topic, partition, state(promised, 0)).then(
              () => void saved.set(partition, promised),
              () => undefined,
            ),
          );
        }
        await Promise.all(pending);
        const again = await open(disk);
        for (let partition = 0; partition < 3; partition++)
          expect(again.get(topic, partition).promisedEpoch).toBeGreaterThanOrEqual(saved.get(partition) ?? 0);
      }),
      { numRuns: 200 },
    );
  });
});

describe("compaction", () => {
  async function fill(store: ReplicaStateStore, saves: number): Promise<void> {
    for (let at = 0; at < saves; at += 500) {
      const batch = Array.from({ length: 500 }, (_, n) => store.save(topic, n % 10, state(at + n + 1, at)));
      await Promise.all(batch);
    }
  }

  test("the journal stays small, and says the same", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await fill(store, 10_000);
    expect((await content(disk)).length).toBeLessThan(5_000 * recordBytes);
    await store.save(topic, 3, state(20_000, 3));
    const again = await open(disk);
    expect(again.get(topic, 3)).toEqual(state(20_000, 3));
    expect(again.get(topic, 4)).toEqual(store.get(topic, 4));
    expect(disk.openFiles).toBe(2);
  });

  test("after one that broke off, no save goes into the file that was replaced", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await fill(store, 4_000);
    let replaced = false;
    disk.fault = ({ kind }) => {
      if (kind === "replace-file") replaced = true;
      return replaced && kind === "open" ? { kind: "error", code: "EMFILE" } : undefined;
    };
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, n) => store.save(topic, n, state(9_000, n))),
    );
    expect(results.some(({ status }) => status === "rejected")).toBe(true);
    await expect(store.save(topic, 0, state(9_001, 0))).rejects.toThrow("EMFILE");
    disk.fault = undefined;
    await store.save(topic, 1, state(9_002, 0));
    expect((await open(disk)).get(topic, 1)).toEqual(state(9_002, 0));
  });

  test("clear forgets all", async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await store.save(topic, 0, state(5, 5));
    await store.clear();
    expect(store.get(topic, 0)).toEqual(state(0, 0));
    expect((await content(disk)).length).toBe(0);
  });
});

test("close waits for saves under way", async () => {
  const disk = new MemoryDisk();
  const store = await open(disk);
  const save = store.save(topic, 0, state(1, 1));
  await store.close();
  await save;
  expect((await open(disk)).get(topic, 0)).toEqual(state(1, 1));
  expect(disk.openFiles).toBe(1);
});
