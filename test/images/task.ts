/** A container's part of a task definition as the CDK app makes it: what tests run is what ECS is told. */
import { readFileSync } from "node:fs";
import { App, type Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { FleetConfig } from "../../infra/fleet/fleet-config.ts";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { type FleetStacks, makeFleet } from "../../infra/fleet-stacks.ts";

export interface Task {
  readonly image: string;
  readonly user: string;
  readonly readonlyRoot: boolean;
  readonly memoryMiB: number;
  readonly openFilesMax: number;
  readonly stopTimeoutSeconds: number;
  /** Program and arguments that exit with 0 while the container is healthy. */
  readonly healthCommand: readonly string[];
  /** Names of the task's volumes by where they are mounted. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

interface ContainerDefinition {
  readonly Image: string;
  readonly User: string;
  readonly ReadonlyRootFilesystem: boolean;
  readonly StopTimeout: number;
  readonly HealthCheck: { readonly Command: readonly string[] };
  readonly Ulimits: readonly { readonly Name: string; readonly SoftLimit: number }[];
  readonly MountPoints: readonly { readonly SourceVolume: string; readonly ContainerPath: string }[];
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
}

interface TaskDefinition {
  readonly Properties: {
    readonly Memory: string;
    readonly ContainerDefinitions: readonly [ContainerDefinition];
  };
}

/** The stacks of a fleet of `infra/fleets`, synthesized with what `-c` would set. Functions are not bundled. */
export function synthesizeFleet(
  name: string,
  context: Readonly<Record<string, string>>,
): { readonly fleet: FleetConfig; readonly stacks: FleetStacks } {
  const read = readFleetConfig(
    JSON.parse(readFileSync(new URL(`../../infra/fleets/${name}.json`, import.meta.url), "utf8")),
  );
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  const app = new App({ context: { ...context, "aws:cdk:bundling-stacks": [] } });
  return { fleet: read.fleet, stacks: makeFleet(app, read.fleet) };
}

/** The tasks of a stack's services, one a zone, in the order of the zones. `given`: values that only AWS knows, by variable. */
export function tasksOf(stack: Stack, given: Readonly<Record<string, string>>): readonly Task[] {
  const found = Template.fromStack(stack).findResources("AWS::ECS::TaskDefinition") as Record<string, TaskDefinition>;
  return Object.entries(found)
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([, { Properties }]) => taskOf(Properties, given));
}

function taskOf(properties: TaskDefinition["Properties"], given: Readonly<Record<string, string>>): Task {
  const [container] = properties.ContainerDefinitions;
  const [kind, ...healthCommand] = container.HealthCheck.Command;
  if (kind !== "CMD") throw new Error(`a health check by ${kind} is not what these tests run`);
  const variables = container.Environment.map(({ Name, Value }) => {
    const value = given[Name] ?? Value;
    if (typeof value !== "string") throw new Error(`${Name} has a value that only AWS knows, and none is given`);
    return [Name, value] as const;
  });
  return {
    image: container.Image,
    user: container.User,
    readonlyRoot: container.ReadonlyRootFilesystem,
    memoryMiB: Number(properties.Memory),
    openFilesMax: container.Ulimits.find(({ Name }) => Name === "nofile")!.SoftLimit,
    stopTimeoutSeconds: container.StopTimeout,
    healthCommand,
    mounts: Object.fromEntries(
      container.MountPoints.map(({ ContainerPath, SourceVolume }) => [ContainerPath, SourceVolume]),
    ),
    environment: Object.fromEntries(variables),
  };
}
