import { expect, test } from "vitest";
import { HostedReplica } from "../../../../broker/partition/hosted-replica.ts";
import type { PartitionSettings } from "../../../../broker/partition/partition-settings.ts";
import { type FixtureOptions, leading, recordOf } from "./replica-fixture.ts";

async function hosted(options: FixtureOptions): Promise<HostedReplica> {
  const fixture = await leading(options);
  return new HostedReplica(
    {} as PartitionSettings,
    fixture.time,
    () => fixture.replica,
    () => undefined,
  );
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
  const replica = new HostedReplica(
    {} as PartitionSettings,
    fixture.time,
    () => fixture.replica,
    () => undefined,
  );
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
  const replica = new HostedReplica(
    {} as PartitionSettings,
    fixture.time,
    () => fixture.replica,
    () => undefined,
  );
  expect(await replica.deleteRecords(-1)).toEqual({ kind: "failed", error: "LEADER_NOT_AVAILABLE" });
  expect(fixture.log.startOffset).toBe(0);
});
