import { describe, expect, test } from "vitest";
import { unwrittenBytesMax } from "../../../../broker/log/limits.ts";
import { HostedReplica } from "../../../../broker/partition/hosted-replica.ts";
import { type PartitionSettings, partitionSettings } from "../../../../broker/partition/partition-settings.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import { type FixtureOptions, leading, type ReplicaFixture, recordOf } from "./replica-fixture.ts";

async function hosted(options: FixtureOptions): Promise<HostedReplica> {
  const fixture = await leading(options);
  return replicaOn(fixture, settings({}));
}

function replicaOn(fixture: ReplicaFixture, of: PartitionSettings): HostedReplica {
  return new HostedReplica(
    of,
    fixture.time,
    () => fixture.replica,
    () => undefined,
  );
}

function settings(configs: Readonly<Record<string, string>>): PartitionSettings {
  const topic = { topicId: "t", lkc: "lkc-abc", name: "t", createdMs: 0, configs, partitions: [] };
  return partitionSettings(topic, ImageState.empty("cell"));
}

const unknown = { epoch: -1, endOffset: -1 };

test("in a log that nobody wrote to, every epoch so far ended at its end: no consumer takes it for cut", async () => {
  const replica = await hosted({ record: recordOf({ leaderEpoch: 2 }) });
  expect([0, 1, 2].map((epoch) => replica.endOffsetForEpoch(epoch))).toEqual([
    { epoch: 0, endOffset: 0 },
    { epoch: 1, endOffset: 0 },
    { epoch: 2, endOffset: 0 },
  ]);
  expect(replica.endOffsetForEpoch(3)).toEqual(unknown);
  expect(replica.endOffsetForEpoch(-1)).toEqual(unknown);
});

test("otherwise the records tell: the last epoch not above the one asked for, and where it ended", async () => {
  const replica = await hosted({ log: [[1, 3]], record: recordOf({ leaderEpoch: 2 }) });
  expect(replica.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 0 });
  expect(replica.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 3 });
  expect(replica.endOffsetForEpoch(2)).toEqual({ epoch: 1, endOffset: 3 });
});

test("records are deleted up to what is committed, once a quorum has the new log start", async () => {
  const fixture = await leading({ log: [[1, 5]], record: recordOf({ leaderEpoch: 2 }) });
  const replica = replicaOn(fixture, settings({}));
  const deleting = replica.deleteRecords(-1);
  await fixture.settle();
  expect(fixture.log.startOffset).toBe(5);
  expect(await Promise.race([deleting, Promise.resolve("waits")])).toBe("waits");
  fixture.acks(2, 5, { logStartOffset: 5 });
  replica.onLogStartHeld();
  expect(await deleting).toEqual({ kind: "deleted", lowWatermark: 5 });
  expect(await replica.deleteRecords(6)).toEqual({ kind: "failed", error: "OFFSET_OUT_OF_RANGE" });
});

test("no records are deleted by a leader that does not know how far the log is committed", async () => {
  const fixture = await leading({ log: [[1, 5]], record: recordOf({ leaderEpoch: 2, lost: [2, 3] }) });
  const replica = replicaOn(fixture, settings({}));
  expect(await replica.deleteRecords(-1)).toEqual({ kind: "failed", error: "LEADER_NOT_AVAILABLE" });
  expect(fixture.log.startOffset).toBe(0);
});

test("of a topic that is only compacted no records are deleted by offset", async () => {
  const fixture = await leading({ log: [[1, 5]], record: recordOf({ leaderEpoch: 2 }) });
  const compacted = settings({ "cleanup.policy": "compact" });
  const replica = replicaOn(fixture, compacted);
  expect(await replica.deleteRecords(-1)).toMatchObject({ kind: "failed", error: "POLICY_VIOLATION" });
  expect(fixture.log.startOffset).toBe(0);
});

test("a compacted topic takes no record without a key", async () => {
  const fixture = await leading({ record: recordOf({ leaderEpoch: 2 }) });
  const compacted = settings({ "cleanup.policy": "compact,delete" });
  const replica = replicaOn(fixture, compacted);
  const records = encodeBatch({ records: [{ key: Buffer.from("a") }, { value: Buffer.from("1") }] });
  expect(replica.append(records, { requiredAcks: 1 })).toMatchObject({
    kind: "failed",
    error: "INVALID_RECORD",
    recordErrors: [{ batchIndex: 1 }],
  });
  expect(fixture.log.endOffset).toBe(0);
  replica.reconfigure(settings({}));
  const again = encodeBatch({ records: [{ value: Buffer.from("1") }] });
  expect(replica.append(again, { requiredAcks: 1 })).toMatchObject({ kind: "appended", baseOffset: 0 });
});

test("what compaction asks of a log comes from the topic's configurations", () => {
  expect(settings({}).log).toMatchObject({ compaction: undefined, retentionMs: 604_800_000 });
  const configs = {
    "cleanup.policy": "compact",
    "retention.ms": "5",
    "retention.bytes": "6",
    "min.cleanable.dirty.ratio": "0.25",
    "min.compaction.lag.ms": "7",
    "max.compaction.lag.ms": "60000",
    "delete.retention.ms": "8",
  };
  // Nothing is deleted for its age, and what is to be compacted in time has to be sealed in time.
  expect(settings(configs).log).toMatchObject({
    retentionMs: -1,
    retentionBytes: -1,
    segmentMs: 60_000,
    compaction: { minDirtyRatio: 0.25, minLagMs: 7, maxLagMs: 60_000, deleteRetentionMs: 8 },
  });
  const both = settings({ ...configs, "cleanup.policy": "delete,compact", "segment.ms": "30000" }).log;
  expect(both).toMatchObject({ retentionMs: 5, retentionBytes: 6, segmentMs: 30_000 });
});

describe("a disk that stands still", () => {
  const big = () => encodeBatch({ records: [{ value: Buffer.alloc(2_000_000) }] });

  async function full(options: FixtureOptions = {}) {
    const fixture = await leading(options);
    const replica = replicaOn(fixture, settings({ "max.message.bytes": "4000000" }));
    fixture.holdDisk();
    let taken = 0;
    while (replica.append(big(), { requiredAcks: 1 }).kind === "appended" && taken < 100) taken += 1;
    return { fixture, replica, taken };
  }

  test("producers wait and are refused before the memory is full, and are served when half of it is written", async () => {
    const { fixture, replica, taken } = await full();
    expect(taken).toBe(Math.ceil(unwrittenBytesMax / big().length));
    expect(replica.append(big(), { requiredAcks: 1 })).toMatchObject({ error: "KAFKA_STORAGE_ERROR" });
    // Of a request that began before.
    expect(replica.append(big(), { requiredAcks: 1, evenIfDiskLags: true }).kind).toBe("appended");
    let settled = 0;
    replica.obstacle?.whenSettled(() => settled++);
    await fixture.releaseDisk();
    expect([settled, replica.obstacle]).toEqual([1, undefined]);
    expect(replica.append(big(), { requiredAcks: 1 }).kind).toBe("appended");
  });

  test("a batch that is in the log already is known as such meanwhile", async () => {
    const fixture = await leading({});
    const replica = replicaOn(fixture, settings({ "max.message.bytes": "4000000" }));
    const first = () =>
      encodeBatch({ records: [{ value: Buffer.from("x") }], producerId: 7, producerEpoch: 0, baseSequence: 0 });
    replica.append(first(), { requiredAcks: 1 });
    fixture.holdDisk();
    for (let count = 0; count < 100; count++) replica.append(big(), { requiredAcks: 1 });
    expect(replica.append(first(), { requiredAcks: 1 })).toMatchObject({ kind: "appended", duplicate: true });
  });
});
