import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { readFleetFile } from "../../infra/fleet/read-fleet-file.ts";

const example = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../infra/fleets/${name}.json`, import.meta.url), "utf8")) as Record<
    string,
    unknown
  >;

function problemsOf(change: Record<string, unknown>): readonly string[] {
  const read = readFleetConfig({ ...example("test"), ...change });
  return read.kind === "invalid" ? read.problems : [];
}

const cell = {
  number: 1,
  brokersPerZone: 1,
  cpu: 1024,
  memoryMiB: 2048,
  disk: { kind: "ephemeral", gib: 30 },
  state: "active",
};

const volume = (change: object) => ({
  cells: [{ ...cell, disk: { kind: "ebs", gib: 500, iops: 3_000, throughputMiBps: 125, ...change } }],
});

const acm = (certificateArn: string) => ({ kind: "acm", certificateArn });

describe("a fleet's file", () => {
  test.each([
    ["is not there", "infra/fleets/none.json", /no such file.*none\.json/],
    ["is not JSON", fileURLToPath(import.meta.url), /JSON/],
  ])("that %s is a problem that is told", (_what, file, problem) => {
    const read = readFleetFile(file);
    expect(read.kind === "invalid" && read.problems).toEqual([expect.stringMatching(problem)]);
  });
});

describe("a fleet's configuration", () => {
  test.each(["test", "production", "emulator"])("the example for %s is valid", (name) => {
    expect(readFleetConfig(example(name))).toMatchObject({ kind: "valid" });
  });

  test.each([
    ["another account than AWS knows", { account: "12" }, /account: .*12 digits/],
    ["zones of another region", { zones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }, /zones: must be of the region/],
    ["two zones", { zones: ["us-east-1a", "us-east-1b"] }, /zones: three/],
    [
      "a size that Fargate has not",
      { router: { tasksPerZone: 1, cpu: 300, memoryMiB: 512 } },
      /router\.cpu: must be one of/,
    ],
    ["too little memory", { cells: [{ ...cell, memoryMiB: 512 }] }, /cells\[0\]\.memoryMiB/],
    [
      "memory that Fargate gives to larger tasks only",
      { cells: [{ ...cell, cpu: 4096, memoryMiB: 32_768 }] },
      /memoryMiB/,
    ],
    ["memory between Fargate's steps", { cells: [{ ...cell, cpu: 8192, memoryMiB: 17_408 }] }, /steps of 4096/],
    [
      "a router with memory between Fargate's steps",
      { router: { tasksPerZone: 1, cpu: 512, memoryMiB: 1536 } },
      /router\.memoryMiB: .*1024 to 4096/,
    ],
    ["more IOPS than EBS gives to a small volume", volume({ gib: 20, iops: 16_000 }), /disk\.iops: must be 500/],
    ["more throughput than its IOPS carry", volume({ throughputMiBps: 1_000 }), /disk\.throughputMiBps: needs 4 iops/],
    ["two cells of one number", { cells: [cell, cell] }, /cells: two cells have the same number/],
    ["no cell", { cells: [] }, /cells: there must be/],
    ["a retention that CloudWatch has not", { logRetentionDays: 8 }, /logRetentionDays/],
    [
      "a certificate that is none of ACM's",
      { certificate: acm("arn:aws:iam::1:server") },
      /certificateArn: must be the ARN/,
    ],
    [
      "a certificate of another region",
      { certificate: acm("arn:aws:acm:eu-west-1:000000000000:certificate/1") },
      /certificate: must be of the fleet's region/,
    ],
    ["a field that nobody reads", { surprise: true }, /surprise: is not known here/],
  ])("refuses %s, and names the field", (_what, change, expected) => {
    expect(problemsOf(change).join("\n")).toMatch(expected);
  });

  test.each([
    [256, 512],
    [4_096, 30_720],
    [16_384, 122_880],
  ])("takes Fargate's cpu of %i with %i MiB", (cpu, memoryMiB) => {
    expect(problemsOf({ cells: [{ ...cell, cpu, memoryMiB }] })).toEqual([]);
  });

  test("tells everything that is wrong at once", () => {
    expect(problemsOf({ account: "", domain: "UPPER", waysOut: "carrier pigeon" }).length).toBeGreaterThanOrEqual(3);
  });
});
