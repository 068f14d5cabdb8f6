import { expect, test } from "vitest";
import type { MetricDefinition } from "../../../../shared/telemetry/metric-definition.ts";
import { metricDefinitions } from "../../../../shared/telemetry/metric-definitions.ts";
import { MetricsRegistry, metricSeriesMax } from "../../../../shared/telemetry/metrics-registry.ts";

test("counters, gauges and histograms are shown in Prometheus's format", () => {
  const metrics = new MetricsRegistry();
  metrics.counter("produceBytes", { lkc: "lkc-dev" }).add(1024);
  metrics.counter("produceBytes", { lkc: "lkc-dev" }).add(1);
  metrics.gauge("partitionsWithoutLeader", {}).set(3);
  metrics.onScrape("memory", { kind: "rss" }, () => 77);
  const latency = metrics.histogram("failoverLatency", {});
  latency.observe(0.0015);
  latency.observe(100);
  const text = metrics.render();
  expect(text).toContain("# TYPE balafon_produce_bytes_total counter\n");
  expect(text).toContain('balafon_produce_bytes_total{lkc="lkc-dev"} 1025\n');
  expect(text).toContain("balafon_partitions_without_leader 3\n");
  expect(text).toContain('balafon_memory_bytes{kind="rss"} 77\n');
  expect(text).toContain('balafon_failover_latency_seconds_bucket{le="0.001"} 0\n');
  expect(text).toContain('balafon_failover_latency_seconds_bucket{le="0.002"} 1\n');
  expect(text).toContain('balafon_failover_latency_seconds_bucket{le="+Inf"} 2\n');
  expect(text).toContain("balafon_failover_latency_seconds_count 2\n");
});

test("label values are escaped and cannot break a line", () => {
  const metrics = new MetricsRegistry();
  metrics.counter("produceRequests", { lkc: 'a"b\n\\' }).add(1);
  expect(metrics.render()).toContain('{lkc="a\\"b\\n\\\\"} 1\n');
});

test("the number of series is bounded: the rest is counted together", () => {
  const metrics = new MetricsRegistry();
  for (let index = 0; index < metricSeriesMax + 50; index++) {
    metrics.counter("produceRequests", { lkc: `lkc-${index}` }).add(1);
  }
  const lines = metrics
    .render()
    .split("\n")
    .filter((line) => line.startsWith("balafon_produce_requests_total{"));
  expect(lines).toHaveLength(metricSeriesMax + 1);
  expect(lines.at(-1)).toBe('balafon_produce_requests_total{lkc="other"} 50');
});

test("a deleted logical cluster's series go, and a new one of its name starts at zero", () => {
  const metrics = new MetricsRegistry();
  metrics.counter("produceRequests", { lkc: "lkc-a" }).add(5);
  metrics.histogram("produceLatency", { lkc: "lkc-a" }).observe(1);
  metrics.counter("produceRequests", { lkc: "lkc-b" }).add(7);
  metrics.forget("lkc", "lkc-a");
  expect(metrics.render()).not.toContain("lkc-a");
  expect(metrics.valueOf("produceRequests", { lkc: "lkc-a" })).toBe(0);
  expect(metrics.valueOf("produceRequests", { lkc: "lkc-b" })).toBe(7);
});

const definitions = Object.values<MetricDefinition>(metricDefinitions);

test.each(definitions)("$name is well named and described", (definition) => {
  expect(definition.name).toMatch(/^balafon_[a-z0-9_]+$/);
  expect(definition.name.endsWith("_total")).toBe(definition.kind === "counter");
  if (definition.unit === "seconds" || definition.unit === "bytes") expect(definition.name).toContain(definition.unit);
  expect(definition.help).toMatch(/\.$/);
  expect(definition.buckets !== undefined).toBe(definition.kind === "histogram");
  expect([...(definition.buckets ?? [])]).toEqual([...(definition.buckets ?? [])].toSorted((a, b) => a - b));
});

test("names are unique", () => {
  expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
});
