/** The costs page counts what is deployed: a resource that the templates have and the count has not would be a surprise. */
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { App, type Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { expect, test } from "vitest";
import { countFleet } from "../../infra/costs/monthly-cost.ts";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { makeFleet } from "../../infra/fleet-stacks.ts";

test.each(["test", "production"])("the count of infra/fleets/%s.json is that of its templates", (name) => {
  for (const deployable of ["broker", "router"])
    mkdirSync(fileURLToPath(new URL(`../../infra/images/${deployable}/app`, import.meta.url)), { recursive: true });
  const file = new URL(`../../infra/fleets/${name}.json`, import.meta.url);
  const read = readFleetConfig(JSON.parse(readFileSync(file, "utf8")));
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  const templates = (Object.values(makeFleet(new App(), read.fleet)).flat() as Stack[]).map((stack) =>
    Template.fromStack(stack),
  );
  const found = (type: string) => templates.flatMap((template) => Object.values(template.findResources(type)));
  const services = found("AWS::ECS::Service") as { readonly Properties: { readonly DesiredCount: number } }[];
  const count = countFleet(read.fleet);
  expect({
    tasks: services.reduce((sum, { Properties }) => sum + Properties.DesiredCount, 0),
    services: services.length,
    clusters: found("AWS::ECS::Cluster").length,
    secrets: found("AWS::SecretsManager::Secret").length,
    alarms: found("AWS::CloudWatch::Alarm").length,
    natGateways: found("AWS::EC2::NatGateway").length,
    endpoints: 3 * found("AWS::EC2::VPCEndpoint").filter((each) => JSON.stringify(each).includes('"Interface"')).length,
    keys: found("AWS::KMS::Key").length,
  }).toEqual({
    tasks: count.routers + count.brokers,
    services: count.services,
    clusters: count.clusters,
    secrets: count.secrets,
    alarms: count.alarms,
    natGateways: count.natGateways,
    endpoints: count.endpoints,
    keys: read.fleet.customerManagedKeys ? 1 : 0,
  });
});
