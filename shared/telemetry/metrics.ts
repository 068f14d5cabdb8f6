import type { metricDefinitions } from "./metric-definitions.ts";

type Definitions = typeof metricDefinitions;
export type MetricId = keyof Definitions;
type IdOfKind<Kind> = { [Id in MetricId]: Definitions[Id]["kind"] extends Kind ? Id : never }[MetricId];
export type CounterId = IdOfKind<"counter">;
export type GaugeId = IdOfKind<"gauge">;
export type HistogramId = IdOfKind<"histogram">;
/** A value for each label of the metric. */
export type LabelsOf<Id extends MetricId> = Readonly<Record<Definitions[Id]["labels"][number], string>>;

/**
 * Where code counts. Take a handle once, when the connection, the tenant or the module starts, and keep it: a handle is a
 * plain number underneath, so that counting costs nothing on a hot path. Count by request or batch, never by record.
 */
export interface Metrics {
  counter<Id extends CounterId>(id: Id, labels: LabelsOf<Id>): Counter;
  gauge<Id extends GaugeId>(id: Id, labels: LabelsOf<Id>): Gauge;
  histogram<Id extends HistogramId>(id: Id, labels: LabelsOf<Id>): Histogram;
  /** A gauge or counter that is read when it is shown. Registering again replaces the reader. */
  onScrape<Id extends GaugeId | CounterId>(id: Id, labels: LabelsOf<Id>, read: () => number): void;
  /** Drops every series that carries the label value, as when a logical cluster is deleted. Old handles count nowhere. */
  forget(label: string, value: string): void;
}

export interface Counter {
  /** `amount` is not negative. */
  add(amount: number): void;
}

export interface Gauge {
  set(value: number): void;
  add(amount: number): void;
}

export interface Histogram {
  /** In the unit of the definition: seconds, not milliseconds. */
  observe(value: number): void;
}

const nowhere = { add: () => undefined, set: () => undefined, observe: () => undefined };

/** Counts nothing: for tests and tools. */
export const noMetrics: Metrics = {
  counter: () => nowhere,
  gauge: () => nowhere,
  histogram: () => nowhere,
  onScrape: () => undefined,
  forget: () => undefined,
};
