import { expect, test } from "vitest";
import { EmfReporter, emfMetrics, emfName, emfNamespace, routerEmfMetrics } from "../../../../shared/telemetry/emf.ts";
import { MetricsRegistry } from "../../../../shared/telemetry/metrics-registry.ts";

interface Line {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

function lineOf(reporter: EmfReporter, registry: MetricsRegistry, wallMs = 5_000): Line {
  return JSON.parse(reporter.line(registry.samples(), wallMs)) as Line;
}

test("sums over tenants, names units and dimensions, and leaves out what nobody pays for", () => {
  const registry = new MetricsRegistry();
  registry.counter("produceBytes", { lkc: "lkc-a" }).add(10);
  registry.counter("produceBytes", { lkc: "lkc-b" }).add(5);
  registry.gauge("memory", { kind: "rss" }).set(7);
  registry.gauge("memory", { kind: "external" }).set(90);
  registry.counter("logLines", { level: "info" }).add(3);

  const line = lineOf(new EmfReporter({ Cell: "c1" }), registry);

  expect(line._aws.Timestamp).toBe(5_000);
  expect(line._aws.CloudWatchMetrics[0]).toMatchObject({ Namespace: emfNamespace, Dimensions: [["Cell"]] });
  expect(line._aws.CloudWatchMetrics[0]?.Metrics).toContainEqual({ Name: emfName("produceBytes"), Unit: "Bytes" });
  expect(line["Cell"]).toBe("c1");
  expect(line[emfName("produceBytes")]).toBe(15);
  expect(line[emfName("memory")]).toBe(7);
  expect(Object.keys(line)).not.toContain("balafon_log_lines_total");
});

test("counters and histograms tell what was added since the last line, gauges what is", () => {
  const registry = new MetricsRegistry();
  const reporter = new EmfReporter({ Cell: "c1" });
  const requests = registry.counter("produceRequests", { lkc: "lkc-a" });
  const latency = registry.histogram("produceLatency", { lkc: "lkc-a" });
  const free = registry.gauge("diskFree", {});
  requests.add(4);
  latency.observe(0.000_2);
  free.set(100);
  lineOf(reporter, registry);
  requests.add(2);
  latency.observe(0.000_2);
  latency.observe(0.000_2);
  latency.observe(1_000);

  const line = lineOf(reporter, registry);

  expect(line[emfName("produceRequests")]).toBe(2);
  expect(line[emfName("produceLatency")]).toEqual({ Values: [0.000_25, 60], Counts: [2, 1] });
  expect(line[emfName("diskFree")]).toBe(100);
  const idle = lineOf(reporter, registry);
  expect(idle[emfName("produceRequests")]).toBe(0);
  expect(idle).not.toHaveProperty([emfName("produceLatency")]);
});

test("every metric in a line is described in it, and the other way round", () => {
  const registry = new MetricsRegistry();
  for (const id of emfMetrics) if (id === "failoverLatency") registry.histogram(id, {}).observe(1);
  const line = lineOf(new EmfReporter({ Cell: "c1" }), registry);
  const described = line._aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name);
  expect(Object.keys(line).filter((key) => key.startsWith("balafon_"))).toEqual(described);
});

test("a router's line has what routers count, and the age of the oldest log, not the sum", () => {
  const registry = new MetricsRegistry();
  registry.gauge("routerLogAge", { cell: "cell-1" }).set(3);
  registry.gauge("routerLogAge", { cell: "cell-2" }).set(70);
  registry.gauge("routerConnections", { state: "stranger" }).set(1);
  registry.gauge("routerConnections", { state: "routed" }).set(4);
  const line = lineOf(new EmfReporter({ Router: "example.com", Zone: "a" }, routerEmfMetrics), registry);
  expect(line._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([["Router", "Zone"]]);
  expect(line[emfName("routerLogAge")]).toBe(70);
  expect(line[emfName("routerConnections")]).toBe(5);
  expect(line).not.toHaveProperty([emfName("produceBytes")]);
});
