/** Images of the wrong architecture are noticed when they are made or named, not when brokers fail to start. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { App, Stack } from "aws-cdk-lib";
import { CpuArchitecture } from "aws-cdk-lib/aws-ecs";
import { expect, test } from "vitest";
import { cpuArchitecture } from "../../infra/constructs/container-image.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("npm run images refuses a cpu for which there is no native part", () => {
  const run = spawnSync(process.execPath, ["infra/images/bundle.ts", "--cpu", "x86_64"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('--cpu must be arm64 or x64, not "x86_64"');
});

test.each([
  [{}, CpuArchitecture.ARM64],
  [{ architecture: "arm64" }, CpuArchitecture.ARM64],
  [{ architecture: "x86_64" }, CpuArchitecture.X86_64],
])("tasks run on what the context %j names", (context, expected) => {
  expect(cpuArchitecture(new Stack(new App({ context })))).toBe(expected);
});

test("another architecture is refused", () => {
  expect(() => cpuArchitecture(new Stack(new App({ context: { architecture: "x64" } })))).toThrow(
    'must be arm64 or x86_64, not "x64"',
  );
});
