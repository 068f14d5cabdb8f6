import type { HostedPartition } from "../../../../broker/partition/partition-contract.ts";
import type { Mutation } from "../mutation.ts";

/** By partition: the epoch of the first leadership. */
const firstEpochs = new WeakMap<HostedPartition, number>();

/** Claims to be in its first leadership as long as it lives. */
function everInFirstEpoch(hosted: HostedPartition): HostedPartition {
  const epoch = firstEpochs.get(hosted) ?? hosted.leaderEpoch;
  if (epoch === undefined) return hosted;
  firstEpochs.set(hosted, epoch);
  return new Proxy(hosted, {
    get(target, name) {
      if (name === "leaderEpoch") return epoch;
      if (name === "offsets") return () => target.offsets(-1);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

export const keepsOldState: Mutation = {
  name: "group-keeps-old-state",
  what: "A coordinator that comes back into office goes on with what it knew when it left it.",
  coordinatedBy: everInFirstEpoch,
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 700,
    weights: { "pause-process": 4, "isolate-machine": 3, "needless-election": 2 },
  },
};
