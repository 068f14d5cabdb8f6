import { expect, test } from "vitest";
import { unwrittenBytesMax } from "../../../../broker/log/limits.ts";
import { makeLogEnvironment } from "../../../../broker/log/log-environment.ts";
import { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { diskStillMsMax, reportIntervalMs } from "../../../../broker/partition/limits.ts";
import { cleanerConfigs, partitionSettings } from "../../../../broker/partition/partition-settings.ts";
import { ReplicaManager } from "../../../../broker/partition/replica-manager.ts";
import { ReplicaStateStore } from "../../../../broker/replication/replica-state-store.ts";
import { soundRules } from "../../../../broker/replication/replication-rules.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import { MemoryDisk } from "../../../../shared/ports/memory-disk.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { recordOf, topicId } from "./replica-fixture.ts";

const batchBytes = 2_000_000;

/** Broker 1 leads a partition of three, and its disk has been full of work since a moment ago. */
async function leaderWithHeldDisk(options: { readonly alive: readonly number[]; readonly storeReachable: boolean }) {
  const time = new ManualTime();
  let held: (() => void)[] | undefined;
  const disk = new MemoryDisk({
    schedule: (run) => {
      if (held === undefined) queueMicrotask(run);
      else held.push(run);
    },
  });
  const environment = makeLogEnvironment(disk, time);
  const image = ImageState.empty("cell");
  const configs = { "max.message.bytes": String(2 * batchBytes) };
  image.setTopic({ topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs, partitions: [recordOf()] });
  const manager = new ReplicaManager({
    self: 1,
    clock: time,
    timers: time,
    random: new SeededRandom("manager"),
    logger: silentLogger,
    rules: soundRules,
    links: { link: () => undefined, isAlive: (broker) => options.alive.includes(broker) },
    logs: {
      get standsStillSinceMs() {
        return environment.writes.standsStillSinceMs;
      },
      open: (_topic, _partition, settings) => PartitionLog.open(environment, "/log", { config: settings.log }),
      list: () => Promise.resolve([]),
      remove: () => Promise.resolve(),
    },
    states: await ReplicaStateStore.open(disk, "/state", { suspect: false }),
    settingsOf: (topic) => partitionSettings(topic, image),
    cleanerConfigs: () => cleanerConfigs(image),
    sendReports: () => undefined,
    storeReachable: () => options.storeReachable,
    onLeadership: () => undefined,
    onEvent: () => undefined,
  });
  await manager.start(image);
  for (let turns = 0; turns < 20; turns++) await time.settle();
  const partition = manager.find(topicId, 0);
  if (partition?.leaderEpoch === undefined) throw new Error("it does not lead");
  const append = (valueBytes: number) =>
    partition.append(encodeBatch({ records: [{ value: Buffer.alloc(valueBytes) }] }), { requiredAcks: 1 });
  // The first write makes the file, which is a call of its own.
  append(1);
  for (let turns = 0; turns < 20; turns++) await time.settle();
  held = [];
  for (let bytes = 0; bytes <= unwrittenBytesMax; bytes += batchBytes) append(batchBytes);
  const pass = async (ms: number, each: () => void = () => undefined) => {
    for (let passedMs = 0; passedMs < ms; passedMs += reportIntervalMs) {
      each();
      await time.advance(reportIntervalMs);
    }
  };
  return { partition, pass, endOneWrite: () => held?.shift()?.() };
}

const others = { alive: [2, 3], storeReachable: true };

test("a leader whose disk stands still goes, when the others can elect one of them", async () => {
  const { partition, pass } = await leaderWithHeldDisk(others);
  await pass(diskStillMsMax - reportIntervalMs);
  expect(partition.leaderEpoch).toBeDefined();
  await pass(2 * reportIntervalMs);
  expect(partition.leaderEpoch).toBeUndefined();
});

test.each([
  ["its disk still ends a write now and then", others, true],
  ["the others are no majority", { ...others, alive: [2] }, false],
  ["no election could be written down", { ...others, storeReachable: false }, false],
])("it stays while %s", async (_, options, moves) => {
  const { partition, pass, endOneWrite } = await leaderWithHeldDisk(options);
  let looks = 0;
  await pass(2 * diskStillMsMax, () => {
    if (moves && ++looks % 6 === 0) endOneWrite();
  });
  expect(partition.obstacle).toBeDefined();
  expect(partition.leaderEpoch).toBeDefined();
});
