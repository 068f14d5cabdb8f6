import type { Clock } from "../ports/clock.ts";
import type { Timers } from "../ports/timers.ts";
import { type EmfMetricId, EmfReporter } from "../telemetry/emf.ts";
import type { MetricSample } from "../telemetry/metrics-registry.ts";

/** One line a minute: CloudWatch's own resolution, and what its price counts. */
const emfIntervalMs = 60_000;

export interface EmfPrinterOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly dimensions: Readonly<Record<string, string>>;
  /** What a broker prints, when it is not given. */
  readonly metrics?: readonly EmfMetricId[];
  readonly samples: () => Iterable<MetricSample>;
  readonly write: (line: string) => void;
}

/** Prints metrics for CloudWatch once a minute, for as long as the process runs. */
export function startEmfPrinter({ clock, timers, dimensions, metrics, samples, write }: EmfPrinterOptions): void {
  const reporter = new EmfReporter(dimensions, metrics);
  const again = () => {
    timers.after(emfIntervalMs, () => {
      write(`${reporter.line(samples(), clock.wallMs())}\n`);
      again();
    });
  };
  again();
}
