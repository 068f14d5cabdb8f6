import { expect, test } from "vitest";
import { HostedReplica } from "../../../../broker/partition/hosted-replica.ts";
import type { PartitionSettings } from "../../../../broker/partition/partition-settings.ts";
import { type FixtureOptions, leading, recordOf } from "./replica-fixture.ts";

async function hosted(options: FixtureOptions): Promise<HostedReplica> {
  const fixture = await leading(options);
  return new HostedReplica({} as PartitionSettings, fixture.time, () => fixture.replica);
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
