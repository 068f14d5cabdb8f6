import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Coverage } from "./world/coverage.ts";

export interface ShardOutcome {
  /** What went wrong in which seed, and how to replay it. */
  readonly failures: readonly string[];
  readonly coverage: Coverage;
}

/** Runs seeds in processes of their own, side by side: a simulation keeps one core busy. */
export async function runShards(shards: readonly (readonly string[])[]): Promise<ShardOutcome> {
  const outcomes = await Promise.all(shards.map((options) => runShard(options)));
  const coverage = new Coverage();
  for (const outcome of outcomes) coverage.addAll(outcome.coverage);
  return { failures: outcomes.flatMap(({ failures }) => failures), coverage };
}

async function runShard(options: readonly string[]): Promise<ShardOutcome> {
  const script = fileURLToPath(new URL("./run.ts", import.meta.url));
  const child = spawn(process.execPath, [script, "--json", "--keep-going", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) output += String(chunk);
  const parsed = JSON.parse(output) as { failures: string[]; coverage: [string, number][] };
  const coverage = new Coverage();
  for (const [name, count] of parsed.coverage) coverage.count(name, count);
  return { failures: parsed.failures, coverage };
}
