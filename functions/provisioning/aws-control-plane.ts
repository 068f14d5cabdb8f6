import { DynamodbItemStore, dynamodbClient } from "../../shared/item-store/dynamodb-item-store.ts";
import { systemClock } from "../../shared/ports/clock.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { systemTimers } from "../../shared/ports/timers.ts";
import type { FunctionConfig } from "./config.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./open-control-plane.ts";

/** The control plane on DynamoDB, as the Lambdas have it. */
export function awsControlPlane(config: FunctionConfig, writer: string): ControlPlane {
  const { region, endpoint, controlTable, metadataTable, fleet, graceMs } = config;
  const client = dynamodbClient(endpoint === undefined ? { region } : { region, endpoint });
  return openControlPlane({
    controlItems: new DynamodbItemStore({ client, table: controlTable, kind: "text", timers: systemTimers }),
    logItems: new DynamodbItemStore({ client, table: metadataTable, kind: "number", timers: systemTimers }),
    fleet,
    graceMs,
    writer,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  });
}
