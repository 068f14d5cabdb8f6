/** The only place of the functions that reads the environment. Infrastructure sets it; there is no secret in it. */
import { neededVariable } from "../middleware/needed-variable.ts";
import { type DeployedFleet, type Fleet, fleetOf } from "./fleet.ts";
import { graceMsDefault } from "./limits.ts";

export interface FunctionConfig {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly controlTable: string;
  readonly metadataTable: string;
  readonly fleet: Fleet;
  readonly graceMs: number;
  readonly publicUrl: string | undefined;
}

/** Throws when something is missing: the function must not start half configured. */
export function functionConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): FunctionConfig {
  const needed = (name: string) => neededVariable(environment, name);
  const hours = environment["GRACE_HOURS"];
  return {
    region: needed("AWS_REGION"),
    endpoint: environment["AWS_ENDPOINT_URL"],
    controlTable: needed("CONTROL_TABLE"),
    metadataTable: needed("METADATA_TABLE"),
    // Checked when the fleet's configuration was: this is what `infra` made of it.
    fleet: fleetOf(JSON.parse(needed("FLEET")) as DeployedFleet),
    graceMs: hours === undefined ? graceMsDefault : Number(hours) * 3_600_000,
    publicUrl: environment["PUBLIC_URL"],
  };
}

/** Where the fleet's first key is kept; for the function that makes it. */
export function operatorKeySecretArn(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return neededVariable(environment, "OPERATOR_KEY_SECRET_ARN");
}

/** The fleet's own name; for the function that tells CloudWatch of it. */
export function fleetName(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return neededVariable(environment, "FLEET_NAME");
}
