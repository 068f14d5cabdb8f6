/**
 * Metrics for CloudWatch, as lines of JSON in the embedded metric format: CloudWatch Logs makes metrics of what a process
 * prints, so that no process needs an API or a permission for it. A metric costs money there, so only those of
 * `emfMetrics` are sent, summed over their labels: per tenant and per peer they are in `/metrics`.
 */
import type { MetricDefinition } from "./metric-definition.ts";
import { metricDefinitions } from "./metric-definitions.ts";
import type { MetricId } from "./metrics.ts";
import type { MetricSample } from "./metrics-registry.ts";

export const emfNamespace = "Balafon";

/** What dashboards and alarms of `infra` may name; a test holds them to it. */
export const emfMetrics = [
  "produceRequests",
  "produceBytes",
  "produceErrors",
  "produceLatency",
  "fetchBytes",
  "fetchLatency",
  "connections",
  "authenticationFailures",
  "partitionsWithoutLeader",
  "partitionsUnderReplicated",
  "coordinatorLoadFailures",
  "controllerActive",
  "failovers",
  "failoverLatency",
  "metadataAppendLatency",
  "metadataReadFailures",
  "logFailures",
  "diskFree",
  "diskTotal",
  "eventLoopDelay",
  "eventLoopUse",
  "memory",
] as const satisfies readonly MetricId[];

/** Of the routers of a zone. */
export const routerEmfMetrics = [
  "routerConnections",
  "routerRefused",
  "routerRouteLatency",
  "routerBytes",
  "routerLogAge",
  "eventLoopDelay",
  "memory",
] as const satisfies readonly MetricId[];

/** Of the fleet as a whole: what the function that keeps its certificate prints. */
export const fleetEmfMetrics = ["certificateFailures", "certificateDaysLeft"] as const satisfies readonly MetricId[];

/** Of the fleet as a whole: what the reconciler prints. */
export const reconcilerEmfMetrics = ["reconcileFailures"] as const satisfies readonly MetricId[];

/** Everything that is printed, by whomever. */
export const printedMetrics = [
  ...emfMetrics,
  ...routerEmfMetrics,
  ...fleetEmfMetrics,
  ...reconcilerEmfMetrics,
] as const satisfies readonly MetricId[];

export type EmfMetricId = (typeof printedMetrics)[number];

/** CloudWatch's name of a metric: as Prometheus shows it. */
export function emfName(id: EmfMetricId): string {
  return metricDefinitions[id].name;
}

/** Of metrics whose series do not add up, the one that is sent. */
const emfSeries: Readonly<Partial<Record<MetricId, Readonly<Record<string, string>>>>> = {
  eventLoopDelay: { quantile: "0.99" },
  memory: { kind: "rss" },
};

/** Of metrics whose series do not add up either, and the worst is what counts. */
const emfLargest: ReadonlySet<MetricId> = new Set(["routerLogAge"]);

const emfUnits: Readonly<Partial<Record<MetricDefinition["unit"], string>>> = { bytes: "Bytes", seconds: "Seconds" };

/** CloudWatch takes at most so many values with their counts in one line. */
const valuesMax = 150;

interface Totals {
  value: number;
  buckets: Float64Array | undefined;
}

/**
 * Turns what a registry counts into lines, each for the time since the line before: counters and histograms are sent as
 * what was added since. Holds the last totals; no clock and no I/O.
 */
export class EmfReporter {
  readonly #dimensions: Readonly<Record<string, string>>;
  readonly #metrics: readonly EmfMetricId[];
  #last = new Map<MetricId, Totals>();

  /**
   * `dimensions`: whose metrics they are, such as the cell. Few values, or every one of them is paid for. `metrics`: what a
   * line has; all that a broker prints when it is not given.
   */
  constructor(dimensions: Readonly<Record<string, string>>, metrics: readonly EmfMetricId[] = emfMetrics) {
    this.#dimensions = dimensions;
    this.#metrics = metrics;
  }

  /** The next line, without a line feed. */
  line(samples: Iterable<MetricSample>, wallMs: number): string {
    const now = totals(samples, new Set<MetricId>(this.#metrics));
    const values: Record<string, number | { readonly Values: number[]; readonly Counts: number[] }> = {};
    const metrics: { readonly Name: string; readonly Unit: string }[] = [];
    for (const id of this.#metrics) {
      // What was never counted is 0: only of a process that is gone there is no line.
      const total = now.get(id) ?? { value: 0, buckets: undefined };
      const definition: MetricDefinition = metricDefinitions[id];
      const value = since(definition, total, this.#last.get(id));
      if (value === undefined) continue;
      values[definition.name] = value;
      metrics.push({ Name: definition.name, Unit: emfUnits[definition.unit] ?? "Count" });
    }
    this.#last = now;
    const dimensionNames = Object.keys(this.#dimensions);
    return JSON.stringify({
      _aws: {
        Timestamp: wallMs,
        CloudWatchMetrics: [{ Namespace: emfNamespace, Dimensions: [dimensionNames], Metrics: metrics }],
      },
      ...this.#dimensions,
      ...values,
    });
  }
}

function totals(samples: Iterable<MetricSample>, wanted: ReadonlySet<MetricId>): Map<MetricId, Totals> {
  const sums = new Map<MetricId, Totals>();
  for (const sample of samples) {
    if (!wanted.has(sample.id) || !isSent(sample)) continue;
    const total = sums.get(sample.id) ?? { value: 0, buckets: undefined };
    sums.set(sample.id, total);
    if ("value" in sample) {
      total.value = emfLargest.has(sample.id) ? Math.max(total.value, sample.value) : total.value + sample.value;
      continue;
    }
    total.buckets ??= new Float64Array(sample.buckets.length);
    for (const [bucket, count] of sample.buckets.entries())
      total.buckets[bucket] = (total.buckets[bucket] ?? 0) + count;
  }
  return sums;
}

function isSent({ id, labels }: MetricSample): boolean {
  return Object.entries(emfSeries[id] ?? {}).every(([label, value]) => labels[label] === value);
}

function since(definition: MetricDefinition, total: Totals, last: Totals | undefined) {
  if (definition.kind === "histogram" && total.buckets === undefined) return undefined;
  if (total.buckets === undefined) {
    return definition.kind === "counter" ? Math.max(0, total.value - (last?.value ?? 0)) : total.value;
  }
  const Values: number[] = [];
  const Counts: number[] = [];
  const bounds = definition.buckets ?? [];
  for (const [bucket, count] of total.buckets.entries()) {
    const added = count - (last?.buckets?.[bucket] ?? 0);
    if (added <= 0 || Values.length >= valuesMax) continue;
    // An observation is told as the upper bound of its bucket; what is above all bounds, as twice the last one.
    Values.push(bounds[bucket] ?? 2 * (bounds.at(-1) ?? 0));
    Counts.push(added);
  }
  return Values.length === 0 ? undefined : { Values, Counts };
}
