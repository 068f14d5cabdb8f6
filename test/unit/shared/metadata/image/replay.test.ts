import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import type { MetadataImage } from "../../../../../shared/metadata/image/metadata-image.ts";
import { replay, replayUnnumbered } from "../../../../../shared/metadata/image/replay.ts";
import { decodeSnapshot, encodeSnapshot } from "../../../../../shared/metadata/image/snapshot.ts";
import { OverlayTable, type Table } from "../../../../../shared/metadata/image/table.ts";
import type { MetadataRecord, PartitionState } from "../../../../../shared/metadata/records/record.ts";
import { arbitraryRecord } from "../records/arbitrary-records.ts";
import { partitionState } from "../records/partition-state.ts";

const lkc = "lkc-first";
const key = {
  type: "api-key-upserted",
  keyId: "K1",
  lkc,
  principal: "User:a",
  verifier: "v",
  createdMs: 1,
} as const;

function partition(number: number, change: Partial<PartitionState> = {}): PartitionState {
  return partitionState({ partition: number, ...change });
}

function topicId(number: number): string {
  return number.toString(16).padStart(32, "0");
}

function newTopic(number: number, partitions = 1): readonly MetadataRecord[] {
  return [
    { type: "topic-upserted", topicId: topicId(number), lkc, name: `topic-${number}`, createdMs: 1, configs: {} },
    {
      type: "partitions-upserted",
      topicId: topicId(number),
      partitions: Array.from({ length: partitions }, (_, index) => partition(index)),
    },
  ];
}

/** Everything that an image shows, with the indexes. */
function shown(image: MetadataImage) {
  const { cell, seq, featureLevel, controller, cellConfigs, nextProducerId, nextBrokerId, retiredBrokerIds } = image;
  const { brokers, logicalClusters, apiKeys, topics } = image;
  const byName = ["lkc-first", "lkc-other"].map((id) => [...(image.topicsOf(id) ?? [])]);
  const tables = [brokers, logicalClusters, apiKeys, topics].map((table) => [...table.entries()]);
  return {
    cell,
    seq,
    featureLevel,
    controller,
    cellConfigs,
    nextProducerId,
    nextBrokerId,
    retired: new Set(retiredBrokerIds),
    tables,
    byName,
  };
}

const arbitraryEntries = fc.array(fc.array(arbitraryRecord, { maxLength: 6 }), { maxLength: 12 });

describe("replay", () => {
  test("a snapshot and the tail after it make the same image as all entries, in content and in order", () => {
    fc.assert(
      fc.property(arbitraryEntries, fc.nat(12), (entries, cut) => {
        const whole = ImageState.empty("cell-1");
        let viaSnapshot = ImageState.empty("cell-1");
        for (const [index, records] of entries.entries()) {
          if (index === cut) {
            const decoded = decodeSnapshot(encodeSnapshot(viaSnapshot));
            if (decoded.kind !== "decoded") {
              throw new Error(decoded.message);
            }
            viaSnapshot = decoded.state;
          }
          const deltas = [replay(whole, index + 1, records), replay(viaSnapshot, index + 1, records)];
          expect(deltas[1]).toEqual(deltas[0]);
        }
        expect(shown(viaSnapshot)).toEqual(shown(whole));
        expect(encodeSnapshot(viaSnapshot).equals(encodeSnapshot(whole))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("a record replayed twice leaves the image as once", () => {
    fc.assert(
      fc.property(arbitraryEntries, arbitraryRecord, (entries, record) => {
        const state = ImageState.empty("cell-1");
        replayUnnumbered(state, [...entries.flat(), record]);
        const once = sorted(shown(state));
        replayUnnumbered(state, [record]);
        expect(sorted(shown(state))).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  test("an overlay shows what the image would be, and leaves the image as it was", () => {
    fc.assert(
      fc.property(arbitraryEntries, fc.array(arbitraryRecord, { maxLength: 15 }), (entries, tried) => {
        const base = ImageState.empty("cell-1");
        for (const [index, records] of entries.entries()) {
          replay(base, index + 1, records);
        }
        const before = shown(base);
        const trial = ImageState.over(base);
        replayUnnumbered(trial, tried);
        expect(shown(base)).toEqual(before);
        const [would, size] = [sorted(shown(trial)), trial.topics.size];
        replayUnnumbered(base, tried);
        expect(would).toEqual(sorted(shown(base)));
        expect(size).toBe(base.topics.size);
      }),
      { numRuns: 300 },
    );
  });

  test("only the next entry can be applied", () => {
    const state = ImageState.empty("cell-1");
    expect(() => replay(state, 2, [])).toThrow("entry 2 cannot be applied to an image at 0");
    replay(state, 1, []);
    expect(() => replay(state, 1, [])).toThrow("image at 1");
  });

  test("a key of a logical cluster that is not there changes nothing, now and later", () => {
    const state = ImageState.empty("cell-1");
    expect(replay(state, 1, [key]).apiKeysChanged.size).toBe(0);
    replay(state, 2, [{ type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 }]);
    expect([...state.apiKeys.keys()]).toEqual([]);
    replay(state, 3, [key, { type: "logical-cluster-deleted", lkc }, key]);
    expect([...state.apiKeys.keys()]).toEqual([]);
  });

  test("a closed logical cluster keeps its topics and keys, and opens again", () => {
    const state = ImageState.empty("cell-1");
    const open = { type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 } as const;
    replay(state, 1, [open, key, ...newTopic(1, 1)]);
    expect(replay(state, 2, [{ ...open, closedMs: 5 }]).logicalClustersChanged).toEqual(new Set([lkc]));
    expect([state.logicalClusters.get(lkc)?.closedMs, state.apiKeys.size, state.topics.size]).toEqual([5, 1, 1]);
    replay(state, 3, [open]);
    expect(state.logicalClusters.get(lkc)).not.toHaveProperty("closedMs");
  });

  test("deltas name what changed", () => {
    const state = ImageState.empty("cell-1");
    const made = replay(state, 1, [
      { type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 },
      { type: "api-key-upserted", keyId: "K1", lkc, principal: "User:a", verifier: "v", createdMs: 1 },
      ...newTopic(1, 3),
      ...newTopic(2, 1),
      { type: "controller-elected", brokerId: 1, controllerEpoch: 1 },
    ]);
    expect(made.topicsChanged).toEqual(
      new Map([
        [topicId(1), { partitions: new Set([0, 1, 2]), configs: true }],
        [topicId(2), { partitions: new Set([0]), configs: true }],
      ]),
    );
    expect(made.controllerChanged).toBe(true);
    expect(made.cellConfigsChanged).toBe(false);

    const elected = replay(state, 2, [
      {
        type: "partitions-upserted",
        topicId: topicId(1),
        partitions: [partition(2, { partitionEpoch: 2, leader: 3 })],
      },
      {
        type: "election-intended",
        topicId: topicId(2),
        partitions: [{ partition: 0, partitionEpoch: 2, intendedEpoch: 2 }],
      },
    ]);
    expect(elected.topicsChanged.get(topicId(1))).toEqual({ partitions: new Set([2]), configs: false });
    expect(
      state
        .topicsOf(lkc)
        ?.get("topic-1")
        ?.partitions.map(({ leader }) => leader),
    ).toEqual([1, 1, 3]);
    expect(state.topics.get(topicId(2))?.partitions[0]).toEqual(partition(0, { partitionEpoch: 2, intendedEpoch: 2 }));

    const deleted = replay(state, 3, [{ type: "logical-cluster-deleted", lkc }]);
    expect([...deleted.topicsDeleted.keys()]).toEqual([topicId(1), topicId(2)]);
    expect(deleted.apiKeysChanged).toEqual(new Set(["K1"]));
    expect([state.topics.size, state.apiKeys.size, state.topicsOf(lkc)]).toEqual([0, 0, undefined]);
  });

  test("values once read stay as they were", () => {
    const state = ImageState.empty("cell-1");
    replay(state, 1, newTopic(1, 2));
    const topic = state.topics.get(topicId(1));
    const before = structuredClone(topic);
    replay(state, 2, [
      {
        type: "partitions-upserted",
        topicId: topicId(1),
        partitions: [partition(0, { partitionEpoch: 2, leader: 2 })],
      },
      { type: "topic-upserted", topicId: topicId(1), lkc, name: "topic-1", createdMs: 1, configs: { a: "b" } },
    ]);
    expect(topic).toEqual(before);
    expect(state.topics.get(topicId(1))).not.toBe(topic);
  });

  test("what cannot be changes nothing", () => {
    const state = ImageState.empty("cell-1");
    const delta = replay(state, 1, [
      { type: "partitions-upserted", topicId: topicId(1), partitions: [partition(0)] },
      { type: "topic-deleted", topicId: topicId(1) },
      { type: "api-key-deleted", keyId: "none" },
      { type: "logical-cluster-deleted", lkc },
    ]);
    expect(delta.topicsChanged.size + delta.topicsDeleted.size).toBe(0);
    replay(state, 2, newTopic(1, 1));
    replay(state, 3, [{ type: "partitions-upserted", topicId: topicId(1), partitions: [partition(2)] }]);
    expect(state.topics.get(topicId(1))?.partitions).toHaveLength(1);
  });

  test("ids of brokers are never given out again", () => {
    const state = ImageState.empty("cell-1");
    replay(state, 1, [{ type: "broker-unregistered", brokerId: 9 }]);
    expect(state.nextBrokerId).toBe(1);
    const endpoint = { host: "h", port: 1 };
    const broker = { storageId: "s", incarnationId: "i", zone: "a", peer: endpoint, listeners: {} };
    replay(state, 2, [
      { type: "broker-registered", brokerId: 4, ...broker, featureLevelMax: 1, suspect: false },
      { type: "broker-unregistered", brokerId: 4 },
    ]);
    expect([state.brokers.size, state.nextBrokerId]).toEqual([0, 5]);
    expect(state.retiredBrokerIds).toEqual(new Set([9, 4]));
  });
});

describe("the cost of a delta", () => {
  /** A table that counts how often it is touched; going over all of it counts for each entry. */
  class CountingTable<K, V> extends Map<K, V> implements Table<K, V> {
    static touches = 0;
    override get(key: K): V | undefined {
      CountingTable.touches++;
      return super.get(key);
    }
    override set(key: K, value: V): this {
      CountingTable.touches++;
      return super.set(key, value);
    }
    override delete(key: K): boolean {
      CountingTable.touches++;
      return super.delete(key);
    }
    override *values(): MapIterator<V> {
      for (const value of super.values()) {
        CountingTable.touches++;
        yield value;
      }
    }
    override *keys(): MapIterator<K> {
      for (const key of super.keys()) {
        CountingTable.touches++;
        yield key;
      }
    }
    override *entries(): MapIterator<[K, V]> {
      for (const entry of super.entries()) {
        CountingTable.touches++;
        yield entry;
      }
    }
    override [Symbol.iterator](): MapIterator<[K, V]> {
      return this.entries();
    }
  }

  function touchesOf(topics: number, records: readonly MetadataRecord[], over: boolean): number {
    const state = ImageState.empty("cell-1", () => new CountingTable());
    replay(state, 1, [
      { type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 },
      { type: "logical-cluster-upserted", lkc: "lkc-other", name: "other", createdMs: 1 },
      { type: "api-key-upserted", keyId: "K1", lkc: "lkc-other", principal: "User:a", verifier: "v", createdMs: 1 },
      ...Array.from({ length: topics }, (_, number) => newTopic(number)).flat(),
    ]);
    CountingTable.touches = 0;
    if (over) {
      replayUnnumbered(ImageState.over(state), records);
    } else {
      replay(state, 2, records);
    }
    return CountingTable.touches;
  }

  test("does not grow with the image: as much work on 10,000 topics as on 10", () => {
    const changes: readonly (readonly MetadataRecord[])[] = [
      [{ type: "partitions-upserted", topicId: topicId(5), partitions: [partition(0, { partitionEpoch: 2 })] }],
      [{ type: "topic-upserted", topicId: topicId(6), lkc, name: "topic-6", createdMs: 1, configs: { a: "1" } }],
      [{ type: "topic-deleted", topicId: topicId(7) }],
      newTopic(20_000),
      [{ type: "logical-cluster-deleted", lkc: "lkc-other" }],
      [{ type: "producer-ids-allocated", brokerId: 1, first: 0, count: 1_000 }],
    ];
    for (const records of changes) {
      for (const over of [false, true]) {
        const small = touchesOf(10, records, over);
        expect(touchesOf(10_000, records, over)).toBe(small);
        expect(small).toBeLessThan(20);
      }
    }
  });
});

describe("an overlay table", () => {
  test("behaves like a map, whatever is done to it", () => {
    const key = fc.integer({ min: 0, max: 6 });
    const step = fc.oneof(
      fc.tuple(fc.constant("set"), key, fc.integer()),
      fc.tuple(fc.constant("delete"), key, fc.integer()),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.integer())), fc.array(step), (start, steps) => {
        const base = new Map(start);
        const [model, overlay] = [new Map(base), new OverlayTable(base)];
        for (const [what, at, value] of steps) {
          if (what === "set") {
            model.set(at, value);
            overlay.set(at, value);
          } else {
            expect(overlay.delete(at)).toBe(model.delete(at));
          }
          expect(overlay.size).toBe(model.size);
          expect(overlay.get(at)).toBe(model.get(at));
          expect(overlay.has(at)).toBe(model.has(at));
        }
        expect(new Map(overlay)).toEqual(model);
        expect(new Set(overlay.keys())).toEqual(new Set(model.keys()));
        expect(numbers(overlay.values())).toEqual(numbers(model.values()));
        expect(base).toEqual(new Map(start));
      }),
    );
  });
});

function numbers(values: Iterable<number>): readonly number[] {
  return [...values].toSorted((a, b) => a - b);
}

/** The same with tables in the order of their keys: an overlay shows what it changed last. */
function sorted(image: ReturnType<typeof shown>) {
  const byKey = (a: readonly [unknown, unknown], b: readonly [unknown, unknown]) =>
    String(a[0]) < String(b[0]) ? -1 : 1;
  const order = (table: readonly (readonly [unknown, unknown])[]) => table.toSorted(byKey);
  return { ...image, tables: image.tables.map(order), byName: image.byName.map(order) };
}
