/** The Lambda that finishes what calls left, and purges what was deleted; run each minute. */
import { functionLogger } from "../middleware/function-logger.ts";
import { scheduled } from "../middleware/scheduled.ts";
import { awsControlPlane } from "../provisioning/aws-control-plane.ts";
import { functionConfig } from "../provisioning/config.ts";
import { reconcile } from "../provisioning/reconcile.ts";

const plane = awsControlPlane(functionConfig(), "reconciler");

export const handler = scheduled({
  name: "reconciled",
  run: async () => {
    const { settled, failed, expired } = await reconcile(plane);
    // Those that failed are tried again at the next run; the run fails so that it is counted.
    if (failed.length > 0)
      throw new AggregateError(
        failed.map(({ error }) => error),
        "some objects do not settle",
      );
    return { settled, expired };
  },
  logger: functionLogger("reconcile"),
});
