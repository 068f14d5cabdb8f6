import type { Environment } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { cellName, type FleetConfig } from "./fleet/fleet-config.ts";
import { ApiStack } from "./stacks/api-stack.ts";
import { CellStack } from "./stacks/cell-stack.ts";
import { CertificateStack } from "./stacks/certificate-stack.ts";
import { DataStack } from "./stacks/data-stack.ts";
import { NetworkStack } from "./stacks/network-stack.ts";
import { ObservabilityStack } from "./stacks/observability-stack.ts";
import { RouterStack } from "./stacks/router-stack.ts";

export interface FleetStacks {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly certificate: CertificateStack;
  readonly router: RouterStack;
  readonly api: ApiStack;
  readonly cells: readonly CellStack[];
  readonly observability: ObservabilityStack;
}

/** All stacks of a fleet. A cell more in the configuration is a stack more, and nothing else changes but what names it. */
export function makeFleet(scope: Construct, fleet: FleetConfig): FleetStacks {
  const env: Environment = { account: fleet.account, region: fleet.region };
  const base = { env, fleet, terminationProtection: fleet.protectData };
  const network = new NetworkStack(scope, `${fleet.name}-network`, base);
  const data = new DataStack(scope, `${fleet.name}-data`, base);
  const certificate = new CertificateStack(scope, `${fleet.name}-certificate`, { ...base, data });
  const router = new RouterStack(scope, `${fleet.name}-router`, { ...base, network, data });
  const api = new ApiStack(scope, `${fleet.name}-api`, { ...base, data });
  const cells = fleet.cells.map(
    (cell) => new CellStack(scope, cellName(fleet, cell), { ...base, cell, network, data }),
  );
  const observability = new ObservabilityStack(scope, `${fleet.name}-observability`, {
    ...base,
    cells: fleet.cells.map((cell) => cellName(fleet, cell)),
  });
  return { network, data, certificate, router, api, cells, observability };
}
