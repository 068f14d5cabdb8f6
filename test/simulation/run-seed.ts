import type { Mutation } from "./mutations/mutation.ts";
import { Simulation } from "./simulation.ts";
import type { Coverage } from "./world/coverage.ts";
import { Trace } from "./world/trace.ts";
import { failingOnUnhandled } from "./world/unhandled.ts";

export interface SeedOptions {
  readonly seed: number;
  readonly mutation?: Mutation | undefined;
  /** The schedule of this mutation, without its bug. */
  readonly scheduleOf?: Mutation | undefined;
  readonly stepsMax?: number | undefined;
  /** Gets every line of the trace. */
  readonly sink?: ((line: string) => void) | undefined;
}

export interface SeedResult {
  readonly seed: number;
  readonly failure: Error | undefined;
  readonly steps: number;
  readonly simulatedMs: number;
  /** Equal for equal runs. */
  readonly traceHash: string;
  readonly recentTrace: readonly string[];
  readonly coverage: Coverage;
  readonly acknowledged: number;
  readonly sent: number;
}

/** Runs one seed to its end, or to its first failure. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const trace = new Trace({ sink: options.sink });
  const simulation = new Simulation({
    seed: options.seed,
    mutation: options.mutation,
    schedule: (options.mutation ?? options.scheduleOf)?.schedule,
    trace,
    stepsMax: options.stepsMax ?? Number.POSITIVE_INFINITY,
  });
  const { scheduler, coverage } = simulation.world;
  await failingOnUnhandled(scheduler, () => simulation.run());
  return {
    seed: options.seed,
    failure: scheduler.failure,
    steps: scheduler.steps,
    simulatedMs: scheduler.nowMs,
    traceHash: trace.hash,
    recentTrace: trace.recent(),
    coverage,
    acknowledged: simulation.ledger.acknowledgedCount,
    sent: simulation.ledger.sentCount,
  };
}

/** The command that repeats a run. */
export function replayCommand(options: SeedOptions): string {
  const mutation = options.mutation === undefined ? "" : ` --mutation ${options.mutation.name}`;
  const schedule = options.scheduleOf === undefined ? "" : ` --schedule ${options.scheduleOf.name}`;
  return `npm run sim -- --seed ${options.seed}${mutation}${schedule} --verbose`;
}
