/** What a fleet costs to leave running, without a client: the arithmetic, from its configuration and the code's own intervals. */
import { secretRefreshMs } from "../../shared/container/secret-refresh.ts";
import { loadIntervalMs } from "../../shared/control/limits.ts";
import { pollIntervalMs } from "../../shared/metadata/follower/limits.ts";
import { emfMetrics, fleetEmfMetrics, reconcilerEmfMetrics, routerEmfMetrics } from "../../shared/telemetry/emf.ts";
import { certificateNames, type FleetConfig } from "../fleet/fleet-config.ts";
import { interfaceEndpointsCount } from "../fleet/limits.ts";
import { cellAlarms, fleetAlarms, routerAlarms } from "../observability/alarm-rules.ts";
import { type Price, type PriceId, prices } from "./prices.ts";

export interface CostLine {
  readonly what: string;
  readonly price: PriceId;
  /** In the price's unit, in a month. */
  readonly amount: number;
  readonly dollars: number;
  /** Rests on a guess of how much AWS or the code uses, not on a count. */
  readonly estimated: boolean;
}

export const hoursPerMonth = 730;
const secondsPerMonth = hoursPerMonth * 3_600;
const zones = 3;
/** What Fargate gives each task without a charge. */
const freeDiskGib = 20;
const gp3FreeIops = 3_000;
const gp3FreeMibps = 125;
/** A line of metrics a minute of some 2 KB, and what is logged besides. */
const logGbPerTask = 0.1;
/** Metrics that Container Insights makes of each cluster, service, task definition, task and container. */
const insightsMetricsEach = 20;
/** Both directions of a heartbeat between two brokers, or of a router's probe, with TCP and IP. */
const quietKilobytesPerSecond = 2;
/** Brokers look for another certificate and another secret of the cell. */
const secretReadsPerBroker = (2 * secondsPerMonth * 1_000) / secretRefreshMs;
/** ACM's certificates are good for 198 days and renewed some weeks earlier. */
const certificateMonths = 5.5;
/** A run each minute of some 200 ms with half a GB. */
const reconcileGbSeconds = hoursPerMonth * 60 * 0.2 * 0.5;

/** What a fleet is made of, counted. */
export interface FleetCount {
  readonly routers: number;
  readonly brokers: number;
  readonly clusters: number;
  readonly services: number;
  readonly secrets: number;
  readonly alarms: number;
  readonly metrics: number;
  readonly publicAddresses: number;
  readonly natGateways: number;
  readonly endpoints: number;
}

export function countFleet({ router, cells, waysOut, publicAccess }: FleetConfig): FleetCount {
  const routers = zones * router.tasksPerZone;
  const brokers = cells.reduce((sum, { brokersPerZone }) => sum + zones * brokersPerZone, 0);
  const natGateways = waysOut === "nat" ? zones : 0;
  return {
    routers,
    brokers,
    clusters: 1 + cells.length,
    services: zones * (1 + cells.length),
    // The certificate, the operator's key, and what each cell's brokers know.
    secrets: 2 + cells.length,
    alarms: fleetAlarms.length + zones * routerAlarms.length + cells.length * cellAlarms.length,
    // Of the routers of each zone, of each cell, of the fleet.
    metrics:
      zones * routerEmfMetrics.length +
      cells.length * emfMetrics.length +
      fleetEmfMetrics.length +
      reconcilerEmfMetrics.length,
    publicAddresses: (waysOut === "public" ? routers + brokers : 0) + natGateways + (publicAccess ? zones : 0),
    natGateways,
    endpoints: waysOut === "endpoints" ? zones * interfaceEndpointsCount : 0,
  };
}

export function monthlyCost(fleet: FleetConfig): readonly CostLine[] {
  const count = countFleet(fleet);
  return [...tasks(fleet), ...network(fleet, count), ...stores(fleet, count), ...watching(count)].filter(
    ({ amount }) => amount > 0,
  );
}

export function totalDollars(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

function line(what: string, price: PriceId, amount: number, estimated = false): CostLine {
  const { dollars }: Price = prices[price];
  return { what, price, amount, dollars: amount * dollars, estimated };
}

function tasks({ router, cells }: FleetConfig): CostLine[] {
  const sizes = [
    { count: zones * router.tasksPerZone, ...router, diskGib: freeDiskGib },
    ...cells.map(({ brokersPerZone, cpu, memoryMiB, disk }) => ({
      count: zones * brokersPerZone,
      cpu,
      memoryMiB,
      diskGib: disk.kind === "ephemeral" ? disk.gib : freeDiskGib,
    })),
  ];
  const sum = (of: (size: (typeof sizes)[number]) => number) =>
    sizes.reduce((total, size) => total + size.count * of(size), 0) * hoursPerMonth;
  const volumes = cells.flatMap(({ brokersPerZone, disk }) =>
    disk.kind === "ebs" ? [{ count: zones * brokersPerZone, ...disk }] : [],
  );
  const volumeSum = (of: (volume: (typeof volumes)[number]) => number) =>
    volumes.reduce((total, volume) => total + volume.count * of(volume), 0);
  return [
    line(
      "Tasks: processors",
      "fargateVcpuHour",
      sum(({ cpu }) => cpu / 1_024),
    ),
    line(
      "Tasks: memory",
      "fargateGbHour",
      sum(({ memoryMiB }) => memoryMiB / 1_024),
    ),
    line(
      "Tasks: disks",
      "fargateDiskGbHour",
      sum(({ diskGib }) => diskGib - freeDiskGib),
    ),
    line(
      "Volumes: size",
      "gp3GbMonth",
      volumeSum(({ gib }) => gib),
    ),
    line(
      "Volumes: IOPS",
      "gp3IopsMonth",
      volumeSum(({ iops }) => iops - gp3FreeIops),
    ),
    line(
      "Volumes: throughput",
      "gp3MibpsMonth",
      volumeSum(({ throughputMiBps }) => throughputMiBps - gp3FreeMibps),
    ),
  ];
}

function network({ cells }: FleetConfig, count: FleetCount): CostLine[] {
  // Of all pairs that speak to each other all the time, two of three are in different zones (brokers: those of other zones).
  const brokerPairs = cells.reduce((sum, { brokersPerZone }) => sum + 3 * brokersPerZone ** 2, 0);
  const routerPairs = (count.routers * count.brokers * 2) / 3;
  const quietGb = ((brokerPairs + routerPairs) * quietKilobytesPerSecond * secondsPerMonth) / 1e6;
  return [
    line("Load balancer", "balancerHour", hoursPerMonth),
    line("Public addresses", "publicAddressHour", count.publicAddresses * hoursPerMonth),
    line("NAT gateways", "natGatewayHour", count.natGateways * hoursPerMonth),
    line("Interface endpoints", "endpointHour", count.endpoints * hoursPerMonth),
    line("Heartbeats and probes between zones", "zoneCrossingGb", quietGb, true),
    line("Hosted zone", "hostedZoneMonth", 1),
  ];
}

function stores({ cells, customerManagedKeys, ...fleet }: FleetConfig, count: FleetCount): CostLine[] {
  // Every broker looks at its cell's log, every router at all of them; one strongly consistent read that finds nothing is one unit.
  const looks = count.brokers + count.routers * cells.length;
  const reads = (looks * secondsPerMonth * 1_000) / pollIntervalMs;
  // Heartbeats go between brokers, not into the table; what an idle cell writes is its load.
  const writes = (cells.length * secondsPerMonth * 1_000) / loadIntervalMs;
  const certificate = fleet.certificate.kind === "acm" ? certificateNames({ ...fleet }).length / certificateMonths : 0;
  return [
    line("Metadata log: looking for entries", "tableReadMillion", reads / 1e6),
    line("Cells' loads", "tableWriteMillion", writes / 1e6),
    line("Secrets", "secretMonth", count.secrets),
    line("Reading secrets", "secretReads10k", (count.brokers * secretReadsPerBroker) / 1e4),
    line("KMS key", "keyMonth", customerManagedKeys ? 1 : 0),
    line("Exportable certificate, by the month", "wildcardCertificate", certificate),
    line("Functions", "functionGbSecond", reconcileGbSeconds, true),
  ];
}

function watching(count: FleetCount): CostLine[] {
  const runningTasks = count.routers + count.brokers;
  const seen = count.clusters + 2 * count.services + 2 * runningTasks;
  return [
    line("Metrics", "metricMonth", count.metrics),
    line("Alarms", "alarmMonth", count.alarms),
    line("Dashboard", "dashboardMonth", 1),
    line("Logs", "logsGb", runningTasks * logGbPerTask, true),
    line("Container Insights", "insightsMetricMonth", seen * insightsMetricsEach, true),
  ];
}
