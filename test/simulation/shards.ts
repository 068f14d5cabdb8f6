/** Seeds in processes of their own, side by side: a simulation keeps one core busy. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Coverage } from "./world/coverage.ts";

export interface ShardOutcome {
  /** What went wrong in which seed, and how to replay it. */
  readonly failures: readonly { readonly seed: number; readonly text: string }[];
  readonly coverage: Coverage;
}

/** Runs all at once, each with its options of `npm run sim`, to its last seed. */
export async function runShards(shards: readonly (readonly string[])[]): Promise<ShardOutcome> {
  const outcomes = await Promise.all(shards.map((options) => runShard([...options, "--keep-going"])));
  const coverage = new Coverage();
  for (const outcome of outcomes) coverage.addAll(outcome.coverage);
  return { failures: outcomes.flatMap(({ failures }) => failures), coverage };
}

/** Runs seeds up to the last, or to the first that fails unless told to go on, when a core is free for it. */
export async function runShard(options: readonly string[]): Promise<ShardOutcome> {
  await cores.take();
  try {
    return await runProcess(options);
  } finally {
    cores.giveBack();
  }
}

/** Who waits for a core, first come first served. */
class FreeCores {
  #free = availableParallelism();
  readonly #waiting: (() => void)[] = [];

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

const cores = new FreeCores();

async function runProcess(options: readonly string[]): Promise<ShardOutcome> {
  const script = fileURLToPath(new URL("./run.ts", import.meta.url));
  const child = spawn(process.execPath, [script, "--json", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) output += String(chunk);
  if (output === "") throw new Error(`the simulator ended without an outcome: ${options.join(" ")}`);
  const parsed = JSON.parse(output) as { failures: ShardOutcome["failures"]; coverage: [string, number][] };
  const coverage = new Coverage();
  for (const [name, count] of parsed.coverage) coverage.count(name, count);
  return { failures: parsed.failures, coverage };
}
