/** The Lambda that finishes what calls left, and purges what was deleted; run each minute. */
import { systemClock } from "../../shared/ports/clock.ts";
import { functionLogger } from "../middleware/function-logger.ts";
import { scheduled } from "../middleware/scheduled.ts";
import { awsControlPlane } from "../provisioning/aws-control-plane.ts";
import { fleetName, functionConfig } from "../provisioning/config.ts";
import { reconcile } from "../provisioning/reconcile.ts";
import { runReconciler } from "./reconcile-run.ts";

const plane = awsControlPlane(functionConfig(), "reconciler");
const options = {
  fleet: fleetName(),
  reconcile: () => reconcile(plane),
  clock: systemClock,
  write: (line: string) => void process.stdout.write(line),
};

export const handler = scheduled({
  name: "reconciled",
  run: () => runReconciler(options),
  logger: functionLogger("reconcile"),
});
