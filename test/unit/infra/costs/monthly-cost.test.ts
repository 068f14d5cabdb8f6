import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { countFleet, monthlyCost, totalDollars } from "../../../../infra/costs/monthly-cost.ts";
import { trafficCosts } from "../../../../infra/costs/traffic-cost.ts";
import type { FleetConfig } from "../../../../infra/fleet/fleet-config.ts";
import { readFleetConfig } from "../../../../infra/fleet/read-fleet-config.ts";

function fleetOf(name: string): FleetConfig {
  const file = new URL(`../../../../infra/fleets/${name}.json`, import.meta.url);
  const read = readFleetConfig(JSON.parse(readFileSync(file, "utf8")));
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  return read.fleet;
}

const amountOf = (fleet: FleetConfig, what: string) =>
  monthlyCost(fleet).find((line) => line.what === what)?.amount ?? 0;

test("counts tasks, disks and looks at the log as the fleet's file says", () => {
  const fleet = fleetOf("test");
  // Three routers of a quarter, three brokers of one vCPU.
  expect(amountOf(fleet, "Tasks: processors")).toBeCloseTo(730 * (3 * 0.25 + 3 * 1));
  expect(amountOf(fleet, "Tasks: memory")).toBeCloseTo(730 * (3 * 0.5 + 3 * 2));
  expect(amountOf(fleet, "Tasks: disks")).toBeCloseTo(730 * 3 * 10);
  // Six tasks look at one log once a second.
  expect(amountOf(fleet, "Metadata log: looking for entries")).toBeCloseTo((6 * 730 * 3_600) / 1e6);
  expect(amountOf(fleet, "Cells' loads")).toBeCloseTo((730 * 720) / 1e6);
  expect(amountOf(fleet, "Public addresses")).toBe(730 * (6 + 3));
  expect(amountOf(fleet, "KMS key")).toBe(0);
});

test("each way out has its own price", () => {
  const fleet = fleetOf("production");
  expect(countFleet(fleet)).toMatchObject({
    routers: 6,
    brokers: 12,
    endpoints: 12,
    natGateways: 0,
    publicAddresses: 3,
  });
  expect(countFleet({ ...fleet, waysOut: "nat" })).toMatchObject({ endpoints: 0, natGateways: 3, publicAddresses: 6 });
  expect(countFleet({ ...fleet, waysOut: "public", publicAccess: false })).toMatchObject({
    endpoints: 0,
    natGateways: 0,
    publicAddresses: 18,
  });
  expect(amountOf(fleet, "Volumes: size")).toBe(12 * 500);
  expect(amountOf(fleet, "Volumes: throughput")).toBe(12 * 125);
  expect(amountOf(fleet, "Volumes: IOPS")).toBe(0);
});

test("a cell more costs what it has", () => {
  const fleet = fleetOf("test");
  const [cell] = fleet.cells;
  const two = { ...fleet, cells: [...fleet.cells, { ...cell!, number: 2 }] };
  expect(totalDollars(monthlyCost(two))).toBeGreaterThan(totalDollars(monthlyCost(fleet)) * 1.4);
  expect(countFleet(two).secrets).toBe(countFleet(fleet).secrets + 1);
});

test("replication crosses two zones, and both directions of each are paid", () => {
  const [replicated] = trafficCosts;
  expect(replicated?.crossings).toBe(2);
  expect(replicated?.dollars).toBeCloseTo(0.04);
});
