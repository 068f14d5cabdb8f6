import type { PartitionOffsets } from "../../../../broker/partition/partition-contract.ts";
import type { Mutation } from "../mutation.ts";
import { lying } from "./lying-partition.ts";

export const readsWithoutLease: Mutation = {
  name: "group-reads-without-lease",
  what: "A coordinator that nobody follows any more goes on answering.",
  coordinatedBy: (hosted) => {
    let last: PartitionOffsets | undefined;
    return lying(hosted, {
      offsets: (epoch) => {
        const offsets = hosted.offsets(epoch);
        if (!("kind" in offsets)) last = offsets;
        return "kind" in offsets && offsets.error === "OFFSET_NOT_AVAILABLE" ? (last ?? offsets) : offsets;
      },
    });
  },
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 800,
    weights: { "isolate-machine": 4, "pause-process": 2 },
  },
};
