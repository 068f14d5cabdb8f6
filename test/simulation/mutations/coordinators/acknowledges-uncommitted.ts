import type { Mutation } from "../mutation.ts";
import { lying } from "./lying-partition.ts";

export const acknowledgesUncommitted: Mutation = {
  name: "group-acknowledges-uncommitted",
  what: "A coordinator answers a commit when it is appended, not when a quorum has it.",
  coordinatedBy: (hosted) =>
    lying(hosted, {
      whenCommitted: (_endOffset, done) => {
        done(undefined);
        return () => undefined;
      },
    }),
  schedule: {
    brokers: 3,
    groups: "troubled",
    aimAtCoordinators: 1,
    meanGapMs: 400,
    weights: { "kill-process": 3, "isolate-machine": 2, "pause-process": 2, "slow-link": 2 },
  },
};
