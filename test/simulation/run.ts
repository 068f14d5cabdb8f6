/**
 * `npm run sim -- --seed N [--seeds COUNT] [--keep-going] [--steps MAX] [--mutation NAME] [--schedule NAME]
 *    [--trace FILE] [--verbose]`
 *
 * Runs seeds N, N + 1, … of the simulated cell. Ends with 1 at the first failure of the sound code; with a mutation it
 * ends with 0 when a seed caught it, with 1 when none did.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { mutationNamed, mutations } from "./mutations/all-mutations.ts";
import { replayCommand, runSeed, type SeedResult } from "./run-seed.ts";
import { Coverage } from "./world/coverage.ts";

const help = `npm run sim -- [options]
  --seed N          first seed (1)
  --seeds COUNT     how many (1)
  --keep-going      go on after a failure
  --steps MAX       stop each run after so many events
  --mutation NAME   switch a deliberate bug on: ${mutations.map(({ name }) => name).join(", ")}
  --schedule NAME   the kind of runs in which a mutation is looked for, without the bug
  --trace FILE      write every event of the run(s)
  --json            print only what the runs came to, as one line of JSON
  --verbose         print the last events before a failure, and what the runs covered
`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    "keep-going": { type: "boolean", default: false },
    steps: { type: "string" },
    mutation: { type: "string" },
    schedule: { type: "string" },
    trace: { type: "string" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const mutation = values.mutation === undefined ? undefined : mutationNamed(values.mutation);
  const scheduleOf = values.schedule === undefined ? undefined : mutationNamed(values.schedule);
  for (const name of [values.mutation, values.schedule]) {
    if (name === undefined || mutationNamed(name) !== undefined) continue;
    process.stderr.write(`there is no mutation called ${name}\n${help}`);
    return 2;
  }
  const traceFile = values.trace === undefined ? undefined : openSync(values.trace, "w");
  const sink = traceFile === undefined ? undefined : (line: string) => void writeSync(traceFile, `${line}\n`);
  const coverage = new Coverage();
  const failures: { readonly seed: number; readonly text: string }[] = [];
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed += 1) {
    const startedMs = performance.now();
    const stepsMax = values.steps === undefined ? undefined : Number(values.steps);
    const options = { seed, mutation, scheduleOf, stepsMax, sink };
    const result = await runSeed(options);
    coverage.addAll(result.coverage);
    if (!values.json) print(result, performance.now() - startedMs);
    if (result.failure === undefined) continue;
    failures.push({ seed, text: describeFailure(result, replayCommand(options)) });
    if (!values.json) report(result, replayCommand(options));
    if (!values["keep-going"]) break;
  }
  if (traceFile !== undefined) closeSync(traceFile);
  if (values.json) process.stdout.write(`${JSON.stringify({ failures, coverage: coverage.entries() })}\n`);
  if (values.verbose) for (const [name, count] of coverage.entries()) process.stdout.write(`  ${count}\t${name}\n`);
  return (failures.length === 0) === (mutation === undefined) ? 0 : 1;
}

function print(result: SeedResult, tookMs: number): void {
  const { seed, steps, simulatedMs, traceHash, acknowledged, sent, failure } = result;
  const verdict = failure === undefined ? "passed" : "FAILED";
  process.stdout.write(
    `seed ${seed} ${verdict}: ${steps} steps, ${(simulatedMs / 1000).toFixed(1)} s simulated, ` +
      `${acknowledged} of ${sent} records acknowledged, trace ${traceHash}, ${tookMs.toFixed(0)} ms\n`,
  );
}

function report(result: SeedResult, replay: string): void {
  const { failure, recentTrace } = result;
  if (values.verbose) process.stdout.write(`${recentTrace.join("\n")}\n`);
  process.stdout.write(`${describeFailure(result, replay)}\n`);
  if (values.verbose && failure !== undefined) process.stdout.write(`${describe(failure)}\n`);
}

function describeFailure({ seed, steps, simulatedMs, failure }: SeedResult, replay: string): string {
  return `seed ${seed}, step ${steps}, ${simulatedMs.toFixed(3)} ms: ${failure?.message}\nreplay: ${replay}`;
}

function describe(failure: Error): string {
  const cause = failure.cause instanceof Error ? `\ncaused by ${failure.cause.stack}` : "";
  return `${failure.stack}${cause}`;
}
