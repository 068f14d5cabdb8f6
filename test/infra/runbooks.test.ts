/** Runbooks are read when something is broken: what they name must be there. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { beforeAll, expect, test } from "vitest";
import { readFleetConfig } from "../../infra/fleet/read-fleet-config.ts";
import { type FleetStacks, makeFleet } from "../../infra/fleet-stacks.ts";
import { documentedRoutes } from "../../infra/stacks/api-stack.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runbooks = readdirSync(path.join(root, "docs/runbooks")).map((name) => `docs/runbooks/${name}`);
const pages = ["README.md", ...runbooks].map((name) => ({ name, text: readFileSync(path.join(root, name), "utf8") }));

let fleet: FleetStacks;

beforeAll(() => {
  for (const deployable of ["broker", "router"])
    mkdirSync(path.join(root, "infra/images", deployable, "app"), { recursive: true });
  const read = readFleetConfig(JSON.parse(readFileSync(path.join(root, "infra/fleets/test.json"), "utf8")));
  if (read.kind === "invalid") throw new Error(read.problems.join("; "));
  fleet = makeFleet(new App(), read.fleet);
});

/** What GitHub makes of a heading. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, "")
      .replaceAll(" ", "-"),
  );
}

test("every alarm leads to its own section, and every section of an alarm to an alarm", () => {
  const alarms = Object.values(Template.fromStack(fleet.observability).findResources("AWS::CloudWatch::Alarm")) as {
    readonly Properties: { readonly AlarmName: string; readonly AlarmDescription: string };
  }[];
  const text = readFileSync(path.join(root, "docs/runbooks/alarms.md"), "utf8");
  const sections = anchors(text);
  expect(alarms.length).toBeGreaterThan(5);
  const linked = alarms.map(({ Properties }) => {
    const [, anchor = ""] = /docs\/runbooks\/alarms\.md#(\S+)$/.exec(Properties.AlarmDescription) ?? [];
    expect(Properties.AlarmName.toLowerCase().endsWith(`-${anchor}`), Properties.AlarmName).toBe(true);
    return anchor;
  });
  const ofAlarms = sections.filter((section) => section !== "alarms" && section !== "tasks-and-logs");
  // Routers of each zone have the same alarms.
  expect([...new Set(linked)].toSorted()).toEqual(ofAlarms.toSorted());
});

test.each(pages)("$name leads to pages and sections that are there", ({ name, text }) => {
  for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [file = "", anchor] = target.split("#");
    const found = file === "" ? name : path.posix.join(path.posix.dirname(name), file);
    expect(existsSync(path.join(root, found)), target).toBe(true);
    if (anchor !== undefined) expect(anchors(readFileSync(path.join(root, found), "utf8")), target).toContain(anchor);
  }
});

test.each(pages)("$name calls what the API offers", ({ text }) => {
  const offered = new Set(documentedRoutes().map(([route]) => route.replaceAll(/\{[^}]+\}/g, "{}")));
  for (const [, called = ""] of text.matchAll(/\$API(\/[\w/$-]+)/g))
    expect(offered, called).toContain(called.replaceAll(/\$\w+/g, "{}"));
});

test.each(pages)("$name reads outputs that the stacks have", ({ text }) => {
  const stacks = Object.values(fleet).flat();
  for (const [, stackPart = "", output = ""] of text.matchAll(/\$\(out (\w+) (\w+)\)/g)) {
    const stack = stacks.find(({ stackName }) => stackName === `test-${stackPart}`);
    expect(
      stack === undefined ? {} : Template.fromStack(stack).findOutputs(output),
      `${stackPart} ${output}`,
    ).toHaveProperty(output);
  }
});
