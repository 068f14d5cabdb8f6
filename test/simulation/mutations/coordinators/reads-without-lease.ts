import type { HostedPartition, PartitionOffsets } from "../../../../broker/partition/partition-contract.ts";
import type { Mutation } from "../mutation.ts";
import { lying } from "./lying-partition.ts";

/** By partition: the epoch of the last leadership, and what it was told last that it may serve. */
const lastOffices = new WeakMap<HostedPartition, { readonly epoch: number; offsets: PartitionOffsets | undefined }>();

/** Whatever becomes of the leadership: until the next one, its coordinator is told that it may answer. */
function everServing(hosted: HostedPartition): HostedPartition {
  const { leaderEpoch } = hosted;
  const office =
    leaderEpoch === undefined
      ? lastOffices.get(hosted)
      : { epoch: leaderEpoch, offsets: undefined as PartitionOffsets | undefined };
  if (office === undefined) return hosted;
  lastOffices.set(hosted, office);
  return lying(hosted, {
    leaderEpoch: office.epoch,
    offsets: (epoch) => {
      const offsets = hosted.offsets(epoch);
      if (!("kind" in offsets)) office.offsets = offsets;
      return "kind" in offsets ? (office.offsets ?? offsets) : offsets;
    },
  });
}

export const readsWithoutLease: Mutation = {
  name: "group-reads-without-lease",
  what: "A coordinator asks nobody whether it may answer: one that nobody follows any more, or that was deposed, goes on.",
  coordinatedBy: everServing,
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 1_000,
    weights: { "isolate-machine": 3, "pause-process": 2, "store-unreachable": 1 },
  },
};
