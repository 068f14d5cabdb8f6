/** What is said of each metric; the metrics themselves are in `metric-definitions.ts`. */
export interface MetricDefinition {
  /** As Prometheus shows it. A counter ends in `_total`, any other in its unit. */
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly unit:
    | "bytes"
    | "seconds"
    | "requests"
    | "records"
    | "partitions"
    | "connections"
    | "entries"
    | "events"
    | "brokers"
    | "flag"
    | "ratio"
    | "lines"
    | "days"
    | "groups";
  /** `lkc`: the logical cluster; see `metricSeriesMax` for what bounds it. */
  readonly labels: readonly string[];
  /** One sentence: what is counted, when, and what a high value means where that is not plain. */
  readonly help: string;
  /** Upper bounds of a histogram's buckets, ascending, in `unit`. */
  readonly buckets?: readonly number[];
}

/** From a fraction of a network round trip to a request timeout. */
export const latencyBuckets = [
  0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
] as const;

export const byTenant = ["lkc"] as const;
export const noLabels = [] as const;
