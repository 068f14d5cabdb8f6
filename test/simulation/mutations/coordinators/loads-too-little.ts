import type { Broker } from "../../../../broker/broker.ts";
import type { HostedPartition } from "../../../../broker/partition/partition-contract.ts";
import { RecordBatchView } from "../../../../shared/kafka/records/record-batch.ts";
import type { Mutation } from "../mutation.ts";
import { lying } from "./lying-partition.ts";

/** Reads up to what the replica knew to be committed when it took office. */
function readsToKnownEnd(hosted: HostedPartition, broker: Broker): HostedPartition {
  const known = broker.replicas.replica(hosted.topicId, hosted.partition)?.leader?.highWatermark ?? 0;
  const below = (batches: readonly Buffer[]): readonly Buffer[] =>
    batches.filter((batch) => new RecordBatchView(batch).endOffset <= known);
  return lying(hosted, {
    offsets: (epoch) => {
      const offsets = hosted.offsets(epoch);
      return "kind" in offsets ? offsets : { ...offsets, highWatermark: known };
    },
    read: (offset, maxBytes, atLeastOne) => {
      const read = hosted.read(offset, maxBytes, atLeastOne);
      if (read instanceof Promise) return read.then((batches) => ("kind" in batches ? batches : below(batches)));
      return "kind" in read ? read : below(read);
    },
  });
}

export const loadsTooLittle: Mutation = {
  name: "group-loads-too-little",
  what: "A coordinator reads its partition up to the high watermark that it knew before its election.",
  coordinatedBy: readsToKnownEnd,
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 600,
    weights: { "kill-process": 4, "pause-process": 2, "slow-link": 1 },
  },
};
