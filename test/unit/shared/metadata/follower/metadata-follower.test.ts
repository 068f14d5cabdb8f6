import { describe, expect, test } from "vitest";
import { MemoryItemStore } from "../../../../../shared/item-store/memory-item-store.ts";
import { MetadataFollower } from "../../../../../shared/metadata/follower/metadata-follower.ts";
import { MemoryObjectStore } from "../../../../../shared/object-store/memory-object-store.ts";
import { systemClock } from "../../../../../shared/ports/clock.ts";
import { systemRandom } from "../../../../../shared/ports/random.ts";
import { systemTimers } from "../../../../../shared/ports/timers.ts";

function followers() {
  const itemStore = new MemoryItemStore();
  const objectStore = new MemoryObjectStore();
  return (writer: string) =>
    new MetadataFollower({
      cell: "cell-1",
      writer,
      itemStore,
      objectStore,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      pollIntervalMs: 10,
    });
}

describe("a metadata follower", () => {
  test("two writers agree on one order, and each sees what the other wrote", async () => {
    const make = followers();
    const [a, b] = [make("a"), make("b")];
    await Promise.all([a.start(), b.start()]);

    const proposals = [a, b, a, b, a, b].map((follower, index) =>
      follower.propose((image) => ({
        records: [{ type: "producer-ids-allocated", brokerId: index, first: image.nextProducerId, count: 10 }],
        reply: image.nextProducerId,
      })),
    );
    const results = await Promise.all(proposals);
    await Promise.all([a.refresh(), b.refresh()]);

    const firsts = results.map((result) => (result.kind === "done" ? result.reply : -1));
    expect(firsts.toSorted((x, y) => x - y)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(a.image.nextProducerId).toBe(60);
    expect(b.image.nextProducerId).toBe(60);
    expect(a.image.seq).toBe(2); // Three proposals of one process share an entry.
    a.stop();
    b.stop();
  });
});
