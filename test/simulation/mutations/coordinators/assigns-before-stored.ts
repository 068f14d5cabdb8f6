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
    meanGapMs: 300,
    adminGapMs: 400,
    weights: { "disk-stuck": 5, "disk-slow": 2, "kill-process": 4, "isolate-machine": 2 },
  },
};
