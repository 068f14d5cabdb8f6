import type { HostedPartition } from "../../../../broker/partition/partition-contract.ts";
import type { Mutation } from "../mutation.ts";
import { holdsGroups } from "./group-records.ts";
import { lying } from "./lying-partition.ts";

function takesGroupsForStored(hosted: HostedPartition): HostedPartition {
  const endsOfGroups = new Set<number>();
  return lying(hosted, {
    append: (records, options) => {
      const isGroup = holdsGroups(records);
      const result = hosted.append(records, options);
      if (isGroup && result.kind === "appended") endsOfGroups.add(result.endOffset);
      return result;
    },
    whenCommitted: (endOffset, done) => {
      if (!endsOfGroups.delete(endOffset)) return hosted.whenCommitted(endOffset, done);
      done(undefined);
      return () => undefined;
    },
  });
}

export const assignsBeforeStored: Mutation = {
  name: "group-assigns-before-stored",
  what: "Members are given their assignment before it is stored.",
  coordinatedBy: takesGroupsForStored,
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 700,
    // As often as groups can just settle in between: they are to be assigned while their coordinator is cut off.
    adminGapMs: 700,
    weights: { "isolate-machine": 4, "slow-link": 3, "kill-process": 2 },
  },
};
