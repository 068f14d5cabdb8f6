/** One run of the reconciler with what people see of it: a line of metrics, and an error when something does not settle. */
import type { Clock } from "../../shared/ports/clock.ts";
import { EmfReporter, reconcilerEmfMetrics } from "../../shared/telemetry/emf.ts";
import { MetricsRegistry } from "../../shared/telemetry/metrics-registry.ts";
import type { Reconciled } from "../provisioning/reconcile.ts";

export interface ReconcileRunOptions {
  readonly fleet: string;
  readonly reconcile: () => Promise<Reconciled>;
  readonly clock: Clock;
  /** Where lines of metrics go. */
  readonly write: (line: string) => void;
}

/** Rejects when some objects do not settle (the next run tries them again), or the run fails; the metrics say so too. */
export async function runReconciler(
  options: ReconcileRunOptions,
): Promise<Readonly<Pick<Reconciled, "settled" | "expired">>> {
  let failures = 1;
  try {
    const { settled, failed, expired } = await options.reconcile();
    failures = failed.length;
    if (failures > 0)
      throw new AggregateError(
        failed.map(({ error }) => error),
        "some objects do not settle",
      );
    return { settled, expired };
  } finally {
    print(options, failures);
  }
}

function print({ fleet, clock, write }: ReconcileRunOptions, failures: number): void {
  const registry = new MetricsRegistry();
  registry.counter("reconcileFailures", {}).add(failures);
  write(`${new EmfReporter({ Fleet: fleet }, reconcilerEmfMetrics).line(registry.samples(), clock.wallMs())}\n`);
}
