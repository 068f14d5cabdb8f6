import { describe, expect, test } from "vitest";
import { IdentityStore } from "../../../broker/identity.ts";
import { soundRules } from "../../../broker/replication/replication-rules.ts";
import { MemoryDisk } from "../../../shared/ports/memory-disk.ts";
import { seededRandom } from "../shared/metadata/log/seeded-random.ts";

const directory = "data";
const random = seededRandom(1);

/** The store of a run of the machine; a process that starts opens it. */
function run(disk: MemoryDisk, bootId: string) {
  const store = new IdentityStore(disk, directory, bootId, random);
  return { store, open: () => store.open("cell", 2, soundRules) };
}

describe("a data directory", () => {
  test("that is new gets the wanted id and a storage id, and can be trusted", async () => {
    const disk = new MemoryDisk();
    const first = await run(disk, "boot-1").open();
    expect(first).toMatchObject({ identity: { cell: "cell", brokerId: 2 }, suspect: false });
    expect((await run(disk, "boot-1").open()).identity).toEqual(first.identity);
  });

  test("is trusted after a crash within one run of the machine: what was written is there", async () => {
    const disk = new MemoryDisk();
    await run(disk, "boot-1").open();
    expect((await run(disk, "boot-1").open()).suspect).toBe(false);
  });

  test("is suspect when the machine restarted without a clean shutdown before", async () => {
    const disk = new MemoryDisk();
    await run(disk, "boot-1").open();
    expect((await run(disk, "boot-2").open()).suspect).toBe(true);
  });

  test("is trusted when it was closed cleanly, once: the run after it counts as unclean again", async () => {
    const disk = new MemoryDisk();
    const first = run(disk, "boot-1");
    await first.open();
    await first.store.markClean();
    expect((await run(disk, "boot-2").open()).suspect).toBe(false);
    expect((await run(disk, "boot-3").open()).suspect).toBe(true);
  });

  test("in which a sync failed is not taken for closed cleanly until the machine restarts, whichever process closes it", async () => {
    const disk = new MemoryDisk();
    const first = run(disk, "boot-1");
    await first.open();
    await first.store.markUnsynced();
    expect(await first.store.markClean()).toBe(false);
    const second = run(disk, "boot-1");
    expect((await second.open()).suspect).toBe(false);
    expect(await second.store.markClean()).toBe(false);
    const third = run(disk, "boot-2");
    expect((await third.open()).suspect).toBe(true);
    await third.store.markRecovered();
    expect(await third.store.markClean()).toBe(true);
    expect((await run(disk, "boot-3").open()).suspect).toBe(false);
  });

  test("stays suspect until its logs were recovered, however often the process starts", async () => {
    const disk = new MemoryDisk();
    await run(disk, "boot-1").open();
    await run(disk, "boot-2").open();
    const third = run(disk, "boot-2");
    expect((await third.open()).suspect).toBe(true);
    await third.store.markRecovered();
    expect((await run(disk, "boot-2").open()).suspect).toBe(false);
  });

  test("that starts anew has another storage id, and nothing to be suspected of", async () => {
    const disk = new MemoryDisk();
    const before = await run(disk, "boot-1").open();
    const second = run(disk, "boot-2");
    await second.open();
    const rebound = await second.store.rebind("cell", -1);
    expect(rebound.storageId).not.toBe(before.identity.storageId);
    await second.store.adopt({ ...rebound, brokerId: 7 });
    expect(await run(disk, "boot-2").open()).toMatchObject({
      identity: { brokerId: 7, storageId: rebound.storageId },
      suspect: false,
    });
  });

  test("of another cell is refused, and so is one whose files are damaged", async () => {
    const disk = new MemoryDisk();
    await run(disk, "boot-1").open();
    const other = new IdentityStore(disk, directory, "boot-1", random);
    await expect(other.open("other", 2, soundRules)).rejects.toThrow("belongs to cell cell");
    await disk.replaceFile(`${directory}/last-run.json`, Buffer.from("{"));
    await expect(run(disk, "boot-1").open()).rejects.toThrow("last-run.json");
  });
});
