import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const projectRoot = path.resolve(import.meta.dirname, "../../..");
let cache: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), "balafon-compiled-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

function run(program: string) {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  return spawnSync(process.execPath, [path.join(projectRoot, program)], { env, encoding: "utf8" });
}

const compiled = () => readdirSync(cache, { recursive: true, encoding: "utf8" }).length;

test("what brokers, router and store load is compiled ahead, and no server starts meanwhile", () => {
  const ahead = run("local/compile-ahead.ts");
  expect([ahead.status, ahead.stdout, ahead.stderr]).toEqual([0, "", ""]);
  const before = compiled();
  expect(before).toBeGreaterThan(100);
  for (const program of ["broker/main.ts", "router/main.ts", "local/store-process.ts"]) {
    const { status, stderr } = run(program);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`usage: node ${program}`)]);
    expect(compiled(), `${program} loaded what had not been compiled`).toBe(before);
  }
});
