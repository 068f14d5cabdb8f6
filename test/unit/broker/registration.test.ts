import { describe, expect, test } from "vitest";
import { MetadataAccess } from "../../../broker/controller/metadata-access.ts";
import { IdentityStore, type OpenedIdentity } from "../../../broker/identity.ts";
import { registerBroker } from "../../../broker/registration.ts";
import { soundRules } from "../../../broker/replication/replication-rules.ts";
import { MemoryItemStore } from "../../../shared/item-store/memory-item-store.ts";
import { MetadataFollower } from "../../../shared/metadata/follower/metadata-follower.ts";
import { MemoryObjectStore } from "../../../shared/object-store/memory-object-store.ts";
import { MemoryDisk } from "../../../shared/ports/memory-disk.ts";
import { silentLogger } from "../../../shared/telemetry/logger.ts";
import { FaultyItemStore } from "../shared/metadata/log/faulty-item-store.ts";
import { seededRandom } from "../shared/metadata/log/seeded-random.ts";
import { VirtualTime } from "../shared/metadata/log/virtual-time.ts";

/** A cell's log, and data directories that register in it. */
async function startCell() {
  const time = new VirtualTime();
  const random = seededRandom(7);
  const store = new FaultyItemStore(new MemoryItemStore(), time, random);
  const objectStore = new MemoryObjectStore();
  const follower = new MetadataFollower({
    cell: "cell",
    itemStore: store,
    objectStore,
    clock: time,
    timers: time,
    random,
  });
  await time.until(follower.start());
  const metadata = new MetadataAccess(follower, () => []);
  let runs = 0;
  /** A process starts on the directory; `steps` tells what it forgets and what the directory says then. */
  const register = async (
    disk: MemoryDisk,
    change: { readonly bootId?: string; readonly wantedId?: number; readonly recovers?: boolean } = {},
  ) => {
    const { bootId = "boot", wantedId = 2, recovers = false } = change;
    const identities = new IdentityStore(disk, "data", bootId, random);
    const opened: OpenedIdentity = await identities.open("cell", wantedId, soundRules);
    const forgotten: string[] = [];
    const identity = registerBroker(opened, identities, metadata, {
      cell: "cell",
      zone: "a",
      peer: { host: "broker", port: 1 },
      listeners: {},
      incarnationId: `run-${++runs}`,
      recoverWithoutMajority: recovers,
      ports: { timers: time, random, logger: silentLogger },
      isStopped: () => false,
      forgetReplicas: async () => {
        forgotten.push((await identities.open("cell", wantedId, soundRules)).identity.storageId);
      },
    });
    return { opened, identity: await time.until(identity), forgotten };
  };
  return { time, store, metadata, register };
}

describe("registration", () => {
  test("takes the wanted id, and keeps it at the next start", async () => {
    const cell = await startCell();
    const disk = new MemoryDisk();
    expect((await cell.register(disk)).identity.brokerId).toBe(2);
    const again = await cell.register(disk, { wantedId: 9 });
    expect(again.identity.brokerId).toBe(2);
    expect(again.forgotten).toEqual([]);
    expect(cell.metadata.image.brokers.get(2)?.incarnationId).toBe("run-2");
  });

  test("of a directory whose id belongs to other data takes a new id, and forgets first what was promised", async () => {
    const cell = await startCell();
    await cell.register(new MemoryDisk());
    const wiped = new MemoryDisk();
    const { identity, opened, forgotten } = await cell.register(wiped);
    expect(identity.brokerId).toBe(3);
    expect(identity.storageId).not.toBe(opened.identity.storageId);
    // The old identity was still in place: a crash in between begins again from there.
    expect(forgotten).toEqual([opened.identity.storageId]);
    expect((await cell.register(wiped)).identity).toEqual(identity);
  });

  test("of a suspect directory takes a new id, unless the cell may recover from what is left", async () => {
    const cell = await startCell();
    const disk = new MemoryDisk();
    await cell.register(disk);
    const kept = await cell.register(disk, { bootId: "boot-2", recovers: true });
    expect([kept.identity.brokerId, kept.forgotten]).toEqual([2, []]);
    expect(cell.metadata.image.brokers.get(2)?.suspect).toBe(true);
    const anew = await cell.register(disk, { bootId: "boot-3" });
    expect(anew.identity.brokerId).toBe(3);
    expect(anew.forgotten.length).toBe(1);
    expect(cell.metadata.image.brokers.get(3)?.suspect).toBe(false);
  });

  test("waits for a store that does not answer, and registers once", async () => {
    const cell = await startCell();
    cell.store.faultRate = 0.6;
    const { identity } = await cell.register(new MemoryDisk());
    cell.store.faultRate = 0;
    await cell.time.until(cell.metadata.follower.refresh());
    expect([...cell.metadata.image.brokers.keys()]).toEqual([identity.brokerId]);
  });
});
