import { expect, test, vi } from "vitest";
import { unwrittenBytesMax } from "../../../../broker/log/limits.ts";
import { makeLogEnvironment } from "../../../../broker/log/log-environment.ts";
import { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { diskStillMsMax, reportIntervalMs, syncIntervalMs } from "../../../../broker/partition/limits.ts";
import { cleanerConfigs, partitionSettings } from "../../../../broker/partition/partition-settings.ts";
import type { ReplicaReport } from "../../../../broker/partition/replica-context.ts";
import { ReplicaManager } from "../../../../broker/partition/replica-manager.ts";
import { PeerLink } from "../../../../broker/peer/peer-link.ts";
import { ReplicaStateStore } from "../../../../broker/replication/replica-state-store.ts";
import { soundRules } from "../../../../broker/replication/replication-rules.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import type { PartitionState } from "../../../../shared/metadata/records/record.ts";
import { MemoryDisk } from "../../../../shared/ports/memory-disk.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { describeMessage } from "../peer/described-message.ts";
import { FakeConnection } from "../peer/fake-transport.ts";
import { attachOf, recordOf, topicId } from "./replica-fixture.ts";

const batchBytes = 2_000_000;

const nothing: ReadonlySet<never> = new Set();
const resetDelta = {
  seq: 1,
  topicsChanged: new Map(),
  topicsDeleted: new Map(),
  brokersChanged: nothing,
  apiKeysChanged: nothing,
  logicalClustersChanged: nothing,
  controllerChanged: false,
  cellConfigsChanged: false,
  reset: true,
};

/** Broker 1 with one partition, on a disk whose calls end at once, or when the test says so. */
async function makeManager(options: {
  readonly record: PartitionState;
  readonly alive: readonly number[];
  readonly storeReachable: boolean;
}) {
  const time = new ManualTime();
  let held: (() => void)[] | undefined;
  const disk = new MemoryDisk({
    schedule: (run) => {
      if (held === undefined) queueMicrotask(run);
      else held.push(run);
    },
  });
  const environment = makeLogEnvironment(disk, time);
  const reports: ReplicaReport[] = [];
  const image = ImageState.empty("cell");
  const configs = { "max.message.bytes": String(2 * batchBytes) };
  image.setTopic({ topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs, partitions: [options.record] });
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
    sendReports: (sent) => void reports.push(...sent),
    storeReachable: () => options.storeReachable,
    onLeadership: () => undefined,
    onEvent: () => undefined,
  });
  const settle = async () => {
    for (let turns = 0; turns < 20; turns++) await time.settle();
  };
  await manager.start(image);
  await settle();
  return {
    manager,
    time,
    reports,
    settle,
    holdDisk: () => {
      held = [];
    },
    endOneWrite: () => held?.shift()?.(),
    releaseDisk: () => {
      const calls = held ?? [];
      held = undefined;
      for (const call of calls) call();
    },
  };
}

/** It leads a partition of three, and its disk has been full of work since a moment ago. */
async function leaderWithHeldDisk(options: { readonly alive: readonly number[]; readonly storeReachable: boolean }) {
  const { manager, time, settle, holdDisk, endOneWrite } = await makeManager({ record: recordOf(), ...options });
  const partition = manager.find(topicId, 0);
  if (partition?.leaderEpoch === undefined) throw new Error("it does not lead");
  const append = (valueBytes: number) =>
    partition.append(encodeBatch({ records: [{ value: Buffer.alloc(valueBytes) }] }), { requiredAcks: 1 });
  // The first write makes the file, which is a call of its own.
  append(1);
  await settle();
  holdDisk();
  for (let bytes = 0; bytes <= unwrittenBytesMax; bytes += batchBytes) append(batchBytes);
  const pass = async (ms: number, each: () => void = () => undefined) => {
    for (let passedMs = 0; passedMs < ms; passedMs += reportIntervalMs) {
      each();
      await time.advance(reportIntervalMs);
    }
  };
  return { partition, pass, endOneWrite };
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

test("a leadership that does not begin, as the disk stands still, is reported", async () => {
  const { manager, time, reports, settle, holdDisk } = await makeManager({
    record: recordOf({ leader: 2 }),
    ...others,
  });
  holdDisk();
  const image = ImageState.empty("cell");
  const partitions = [recordOf({ leaderEpoch: 2 }), recordOf({ partition: 1 })];
  image.setTopic({ topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs: {}, partitions });
  manager.onDelta({ ...resetDelta, seq: 2 }, image);
  await settle();
  await time.advance(diskStillMsMax - reportIntervalMs);
  expect(reports).toEqual([]);
  await time.advance(2 * reportIntervalMs);
  expect(new Set(reports.map(({ partition, reason }) => `${partition} ${reason}`))).toEqual(
    new Set(["0 cannot-lead", "1 cannot-lead"]),
  );
});

test("a replica that is removed is forgotten on the link that it followed on", async () => {
  const { manager, time, settle } = await makeManager({ record: recordOf({ leader: 2 }), ...others });
  const connection = new FakeConnection(2);
  const link = new PeerLink(connection, { clock: time, timers: time });
  manager.onAttach(link, attachOf({ stream: 5 }));
  await settle();
  const push = () => manager.onAppend(link, { stream: 5, highWatermark: 0, logStartOffset: 0, chunks: [] });
  push();
  await settle();
  expect(connection.sent.flatMap(describeMessage).at(-1)).toMatch("ack on 5");
  const empty = ImageState.empty("cell");
  manager.onDelta({ ...resetDelta, seq: 2 }, empty);
  await settle();
  push();
  await settle();
  // What is still there would say what it has promised.
  expect(connection.sent.flatMap(describeMessage).at(-1)).toBe("refused on 5: no such stream");
});

test("rounds of syncs do not queue up behind one that does not end", async () => {
  const { manager, time, settle, holdDisk, releaseDisk } = await makeManager({ record: recordOf(), ...others });
  const partition = manager.find(topicId, 0);
  partition?.append(encodeBatch({ records: [{ value: Buffer.from("x") }] }), { requiredAcks: 1 });
  await settle();
  const sync = vi.spyOn(manager, "sync");
  holdDisk();
  for (let seconds = 0; seconds < 10; seconds++) await time.advance(syncIntervalMs);
  releaseDisk();
  await settle();
  // The one that was under way, and the one that waited.
  expect(sync).toHaveBeenCalledTimes(2);
});
