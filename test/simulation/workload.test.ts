import { expect, test } from "vitest";
import { HighWatermarkViews } from "./checkers/high-watermark-views.ts";
import { LeaderChecker } from "./checkers/leader-checker.ts";
import { MetadataChecker } from "./checkers/metadata-checker.ts";
import { ProgressChecker } from "./checkers/progress-checker.ts";
import { RecordLedger } from "./checkers/record-ledger.ts";
import { type ToyBug, toyBroker } from "./toy-broker.ts";
import { FinalReader } from "./workload/final-reader.ts";
import { serveKafka } from "./workload/kafka-server.ts";
import { decodeBatches, encodeBatch } from "./workload/test-records.ts";
import { Workload } from "./workload/workload.ts";
import { World } from "./world/world.ts";

interface ToyRun {
  readonly hash: string;
  readonly violations: readonly string[];
  readonly acknowledged: number;
  readonly unread: readonly string[];
}

/** A toy broker under the whole workload, with a network that resets connections. */
async function toyRun(seed: number, bug: ToyBug): Promise<ToyRun> {
  const world = new World(seed);
  const violations: string[] = [];
  const violate = (message: string): number => violations.push(message);
  const ledger = new RecordLedger({ nowMs: () => world.scheduler.nowMs, violate });
  const highWatermarks = new HighWatermarkViews(violate);
  world.machine(1).start((process) => serveKafka(world.network, process, toyBroker(process, 2, bug)));
  const workload = new Workload({
    world,
    ledger,
    highWatermarks,
    brokerMachines: [1],
    clients: 2,
    batchIntervalMs: 40,
    violate,
    kindOf: () => "quorum",
    isTrimmed: () => false,
    isCompacted: () => false,
  });
  workload.start();
  await world.scheduler.runUntil(3_000);
  workload.stopProducing();
  await world.scheduler.runUntil(6_000);
  const [client] = workload.clients;
  if (client === undefined) throw new Error("no client");
  const partitions = client.topics.flatMap((topic) =>
    topic.partitions.map((_, partition) => ({ ...topic, partition, isCompacted: false })),
  );
  const reader = new FinalReader({ client, ledger, highWatermarks, partitions, violate });
  await world.scheduler.runUntil(8_000);
  expect(world.scheduler.failure).toBeUndefined();
  return {
    hash: world.scheduler.trace.hash,
    violations,
    acknowledged: ledger.acknowledgedCount,
    unread: reader.waiting,
  };
}

test("a broker that keeps its promises passes, and the run repeats", async () => {
  const first = await toyRun(1, "none");
  const second = await toyRun(1, "none");

  expect(first.violations).toEqual([]);
  expect(first.unread).toEqual([]);
  expect(first.acknowledged).toBeGreaterThan(300);
  expect(second.hash).toBe(first.hash);
});

const bugs: readonly (readonly [ToyBug, RegExp])[] = [
  ["loses-acknowledged", /holds .* but .* was acknowledged there|is lost/],
  ["appends-twice", /was at .* and now read/],
  ["high-watermark-falls", /saw the high watermark .* go from/],
  ["swaps-records", /was at .* and now|holds .* but/],
];

for (const [bug, message] of bugs) {
  test(`a broker that does this is found: ${bug}`, async () => {
    const { violations } = await toyRun(2, bug);
    expect(violations.join("\n")).toMatch(message);
  });
}

test("a batch reads back as it was written", () => {
  const recordIds = ["a#1", "a#2", "a#300"];
  const keys = recordIds.map((_, index) => ({ key: `k${index}`, isTombstone: index === 1 }));
  const plain = { producerId: 7, baseSequence: 3, timestampMs: 1e12, recordIds, paddingBytes: 200 };
  const batch = encodeBatch(plain);
  const next = encodeBatch({ ...plain, keys });
  next.writeBigInt64BE(3n, 0);
  const read = decodeBatches([batch, next]);
  expect(read).toMatchObject({ baseOffset: 0, endOffset: 6 });
  expect(read.records.map(({ id }) => id)).toEqual([...recordIds, ...recordIds]);
  expect(read.records.map(({ key, isTombstone }) => [key, isTombstone]).slice(2, 5)).toEqual([
    [null, false],
    ["k0", false],
    ["k1", true],
  ]);
  expect(() => decodeBatches([next, batch])).toThrow("after one that ends");
  batch.writeUInt8(0, 100);
  expect(() => decodeBatches([batch])).toThrow("CRC");
});

test("two leaders in one epoch are found", () => {
  const violations: string[] = [];
  const checker = new LeaderChecker((message) => violations.push(message));
  checker.acts("p/0", 1, "m1.1");
  checker.acts("p/0", 1, "m1.1");
  checker.acts("p/0", 2, "m2.1");
  expect(violations).toEqual([]);
  checker.acts("p/0", 2, "m3.1");
  expect(violations).toEqual(["p/0 epoch 2 was led by m2.1 and by m3.1"]);
});

test("a metadata entry that changes, a gap and images that differ are found", () => {
  const violations: string[] = [];
  const checker = new MetadataChecker((message) => violations.push(message));
  const entry = (sort: number, id: string) => ({ partition: "cell", sort, attributes: { id } });
  checker.stored(entry(1, "a"), 0);
  checker.stored(entry(2, "b"), 0);
  checker.applied("m1", 2, "x");
  checker.applied("m2", 2, "x");
  checker.stored(entry(1, "late, in a trimmed hole"), 1);
  expect(violations).toEqual([]);
  checker.stored(entry(2, "c"), 1);
  checker.stored(entry(4, "d"), 1);
  checker.applied("m3", 2, "y");
  expect(violations).toHaveLength(3);
});

test("a partition that stops taking writes is found", () => {
  const violations: string[] = [];
  const ledger = new RecordLedger({ nowMs: () => 1_000, violate: (message) => violations.push(message) });
  const checker = new ProgressChecker(ledger, (message) => violations.push(message));
  ledger.sent({ id: "a", partition: "p/0", producer: "a", number: 1, isQuorum: true });
  ledger.acknowledged(["a"], 0, 1_000);
  checker.writableSince(["p/0"], 900);
  checker.goesOn(["p/0"], 2_500, 0);
  expect(violations).toEqual([]);
  checker.writableSince(["p/0"], 1_100);
  checker.goesOn(["p/0"], 5_500, 0);
  expect(violations).toHaveLength(2);
});
