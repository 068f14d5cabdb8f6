import type { Broker } from "../../../../broker/broker.ts";
import type { HostedPartition } from "../../../../broker/partition/partition-contract.ts";
import type { Mutation } from "../mutation.ts";
import { withoutGroups } from "./group-records.ts";
import { lying } from "./lying-partition.ts";

function storesOffsetsOnly(hosted: HostedPartition, _broker: Broker): HostedPartition {
  return lying(hosted, {
    append: (records, options) => {
      const left = withoutGroups(records, 0);
      if (left !== undefined) return hosted.append(left, options);
      const offsets = hosted.offsets(-1);
      if ("kind" in offsets) return offsets;
      const { highWatermark, logStartOffset } = offsets;
      return {
        kind: "appended",
        baseOffset: highWatermark,
        endOffset: highWatermark,
        logAppendTimeMs: -1,
        logStartOffset,
      };
    },
  });
}

export const forgetsGenerations: Mutation = {
  name: "group-forgets-generations",
  what: "Groups are not stored, their offsets are.",
  coordinatedBy: storesOffsetsOnly,
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 1_000,
    weights: { "kill-process": 4, "pause-process": 2, "controlled-shutdown": 1 },
  },
};
