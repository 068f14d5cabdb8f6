import assert from "node:assert/strict";
import type { MetricDefinition } from "./metric-definition.ts";
import { metricDefinitions } from "./metric-definitions.ts";
import type { Counter, Gauge, Histogram, MetricId, Metrics } from "./metrics.ts";

/**
 * Series kept of one metric. A scrape of the widest table (a histogram of 18 lines) then stays below 2 MiB; label values
 * that come later are counted together under `other`.
 */
export const metricSeriesMax = 1000;
const overflowLabel = "other";
/** A label value longer than this is cut: names come from clients. */
const labelCharactersMax = 120;

type Labels = Readonly<Record<string, string>>;

interface Series {
  /** `{lkc="lkc-dev"}`, or nothing. */
  readonly labelText: string;
  readonly labels: Labels;
}

class NumberSeries implements Series, Counter, Gauge {
  readonly labelText: string;
  readonly labels: Labels;
  value = 0;
  read: (() => number) | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
    this.labelText = formatLabels(labels);
  }

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

class HistogramSeries implements Series, Histogram {
  readonly labelText: string;
  readonly labels: Labels;
  readonly bounds: readonly number[];
  /** Observations by bucket, not yet cumulative; the last one is above all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.labelText = formatLabels(labels);
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    // A linear walk: most observations fall into the first few buckets.
    while (bucket < bounds.length && value > (bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** One series now. `buckets`: observations by bucket, the last one above all bounds; belongs to the series. */
export type MetricSample = { readonly id: MetricId; readonly labels: Labels } & (
  | { readonly value: number }
  | { readonly buckets: Float64Array; readonly sum: number }
);

/** The metrics of one process. Holds no clock and does no I/O, so the simulator can keep one for each broker. */
export class MetricsRegistry implements Metrics {
  readonly #series = new Map<MetricId, Map<string, NumberSeries | HistogramSeries>>();

  counter(id: MetricId, labels: Labels): Counter {
    return this.#number(id, labels);
  }

  gauge(id: MetricId, labels: Labels): Gauge {
    return this.#number(id, labels);
  }

  histogram(id: MetricId, labels: Labels): Histogram {
    const bounds = definitionOf(id).buckets ?? [];
    const series = this.#find(id, labels, (own) => new HistogramSeries(own, bounds));
    assert(series instanceof HistogramSeries, `${id} is no histogram`);
    return series;
  }

  onScrape(id: MetricId, labels: Labels, read: () => number): void {
    this.#number(id, labels).read = read;
  }

  forget(label: string, value: string): void {
    for (const table of this.#series.values()) {
      for (const [key, series] of table) {
        if (series.labels[label] === value) table.delete(key);
      }
    }
  }

  /** The value of one series, 0 when nothing was counted: for tests and checks. */
  valueOf(id: MetricId, labels: Labels): number {
    const series = this.#series.get(id)?.get(formatLabels(ordered(id, labels)));
    if (series instanceof HistogramSeries) return series.counts.reduce((sum, count) => sum + count, 0);
    return series === undefined ? 0 : (series.read?.() ?? series.value);
  }

  /** Every series as numbers, by metric. */
  *samples(): Generator<MetricSample> {
    for (const [id, table] of this.#series) {
      for (const series of table.values()) {
        const { labels } = series;
        if (series instanceof HistogramSeries) yield { id, labels, buckets: series.counts, sum: series.sum };
        else yield { id, labels, value: series.read?.() ?? series.value };
      }
    }
  }

  /** The sum over all series of a counter or gauge. */
  total(id: MetricId): number {
    let sum = 0;
    for (const series of this.#series.get(id)?.values() ?? []) {
      assert(series instanceof NumberSeries, `${id} is a histogram`);
      sum += series.read?.() ?? series.value;
    }
    return sum;
  }

  /** Everything in Prometheus's text format 0.0.4. */
  render(): string {
    const lines: string[] = [];
    for (const [id, definition] of Object.entries<MetricDefinition>(metricDefinitions)) {
      const table = this.#series.get(id as MetricId);
      if (table === undefined || table.size === 0) continue;
      lines.push(`# HELP ${definition.name} ${definition.help}`, `# TYPE ${definition.name} ${definition.kind}`);
      for (const series of table.values()) {
        if (series instanceof HistogramSeries) renderHistogram(definition.name, series, lines);
        else lines.push(`${definition.name}${series.labelText} ${formatNumber(series.read?.() ?? series.value)}`);
      }
    }
    return `${lines.join("\n")}\n`;
  }

  #number(id: MetricId, labels: Labels): NumberSeries {
    const series = this.#find(id, labels, (own) => new NumberSeries(own));
    assert(series instanceof NumberSeries, `${id} is a histogram`);
    return series;
  }

  #find(id: MetricId, labels: Labels, make: (labels: Labels) => NumberSeries | HistogramSeries) {
    let table = this.#series.get(id);
    if (table === undefined) {
      table = new Map();
      this.#series.set(id, table);
    }
    const own = ordered(id, labels);
    const known = table.get(formatLabels(own));
    if (known !== undefined) return known;
    const kept = table.size < metricSeriesMax ? own : overflowOf(own);
    const key = formatLabels(kept);
    let series = table.get(key);
    if (series === undefined) {
      series = make(kept);
      table.set(key, series);
    }
    return series;
  }
}

function definitionOf(id: MetricId): MetricDefinition {
  return metricDefinitions[id];
}

/** In the order of the definition, cut to size. */
function ordered(id: MetricId, labels: Labels): Labels {
  return Object.fromEntries(
    definitionOf(id).labels.map((label) => [label, (labels[label] ?? "").slice(0, labelCharactersMax)]),
  );
}

function overflowOf(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((label) => [label, overflowLabel]));
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

function renderHistogram(name: string, series: HistogramSeries, lines: string[]): void {
  const labelStart = series.labelText === "" ? "{" : `${series.labelText.slice(0, -1)},`;
  let count = 0;
  series.counts.forEach((own, bucket) => {
    count += own;
    const bound = formatNumber(series.bounds[bucket] ?? Number.POSITIVE_INFINITY);
    lines.push(`${name}_bucket${labelStart}le="${bound}"} ${count}`);
  });
  lines.push(`${name}_sum${series.labelText} ${formatNumber(series.sum)}`, `${name}_count${series.labelText} ${count}`);
}
