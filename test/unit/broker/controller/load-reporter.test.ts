import { expect, test } from "vitest";
import { LoadReporter, loadOf } from "../../../../broker/controller/load-reporter.ts";
import { ControlStore } from "../../../../shared/control/control-store.ts";
import { cellLoadKind, cellLoads } from "../../../../shared/control/items/cell-load-item.ts";
import { bytesPerSecondPerBrokerMax, loadIntervalMs, replicasPerBrokerMax } from "../../../../shared/control/limits.ts";
import { MemoryItemStore } from "../../../../shared/item-store/memory-item-store.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { seededRandom } from "../../shared/metadata/log/seeded-random.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";
import { partitionState } from "../../shared/metadata/records/partition-state.ts";
import { InMemoryBroker } from "../handlers/in-memory-broker.ts";

const seen = { cell: "cell-1", atMs: 1, busy: 0.25, bytesPerSecond: bytesPerSecondPerBrokerMax / 2 };

test("the load counts replicas against what the cell's brokers are meant to hold", () => {
  const broker = new InMemoryBroker("lkc-aaaaa");
  const topicId = "a".repeat(32);
  const partitions = Array.from({ length: 400 }, (_, number) => partitionState({ partition: number }));
  broker.apply(
    { type: "topic-upserted", topicId, lkc: "lkc-aaaaa", name: "t", createdMs: 1, configs: {} },
    { type: "partitions-upserted", topicId, partitions },
  );
  expect(loadOf(broker.image(), seen)).toEqual({
    cell: "cell-1",
    atMs: 1,
    meanBrokerLoad: 0.25,
    replicaUtilization: (400 * 3) / (3 * replicasPerBrokerMax),
    bandwidthUtilization: 0.5,
  });
});

test("only the controller writes it, every few seconds, and a table that is away stops nothing", async () => {
  const time = new VirtualTime(true);
  const items = new MemoryItemStore<string>();
  let away = false;
  let inOffice = false;
  const store = new ControlStore(
    {
      get: (key) => items.get(key),
      query: (range) => items.query(range),
      put: (item, condition) =>
        away ? Promise.resolve({ kind: "unavailable", message: "away" }) : items.put(item, condition),
      delete: (key, condition) => items.delete(key, condition),
    },
    { timers: time, random: seededRandom(1) },
  );
  const reporter = new LoadReporter({
    cell: "cell-1",
    clock: time,
    timers: time,
    logger: silentLogger,
    store,
    inOffice: () => inOffice,
    image: () => new InMemoryBroker().image(),
    sample: () => ({ busy: 0.1, bytes: 0 }),
  });
  const written = async () => (await time.until(store.get(cellLoadKind, cellLoads, "cell-1")))?.value.atMs;
  reporter.start();
  await time.pass(loadIntervalMs * 2);
  expect(await written()).toBeUndefined();
  inOffice = true;
  await time.pass(loadIntervalMs);
  const first = await written();
  expect(first).toBeDefined();
  away = true;
  await time.pass(loadIntervalMs * 2);
  away = false;
  await time.pass(loadIntervalMs * 2);
  expect(await written()).toBeGreaterThan(first ?? 0);
  reporter.stop();
});
