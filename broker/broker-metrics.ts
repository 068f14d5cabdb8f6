import type { Disk } from "../shared/ports/disk.ts";
import type { Timers } from "../shared/ports/timers.ts";
import type { Metrics } from "../shared/telemetry/metrics.ts";
import type { Broker, BrokerEvent } from "./broker.ts";
import { diskLookMs } from "./limits.ts";

/** Shows what a broker's parts know, when somebody scrapes; counting costs nothing in between. */
export function registerBrokerMetrics(metrics: Metrics, broker: Broker): void {
  metrics.onScrape("partitionsWithoutLeader", {}, () => partitionsWithoutLeader(broker));
  metrics.onScrape("partitionsUnderReplicated", {}, () => partitionsUnderReplicated(broker));
  metrics.onScrape("partitionsLed", {}, () => countReplicas(broker, true));
  metrics.onScrape("partitionsFollowed", {}, () => countReplicas(broker, false));
  metrics.onScrape("groupsCoordinated", {}, () => broker.groups.groupCount);
  metrics.onScrape("peerConnections", {}, () => broker.links.links().length);
  metrics.onScrape("metadataSequence", {}, () => broker.image.seq);
  metrics.onScrape("controllerActive", {}, () => (broker.controller.inOffice ? 1 : 0));
  metrics.onScrape("brokersAlive", {}, () => (broker.controller.inOffice ? broker.links.alive().length : 0));
  registerCompaction(metrics, broker);
  const register = () => {
    registerPeers(metrics, broker);
    registerTenants(metrics, broker);
  };
  register();
  broker.metadata.follower.subscribe((delta, image) => {
    if (delta.reset || delta.brokersChanged.size > 0 || delta.logicalClustersChanged.size > 0) register();
    for (const lkc of delta.logicalClustersChanged) if (!image.logicalClusters.has(lkc)) metrics.forget("lkc", lkc);
  });
}

/** How full the data directory's volume is, looked at now and then. */
export function registerDiskMetrics(metrics: Metrics, disk: Disk, options: DiskMetricsOptions): void {
  const free = metrics.gauge("diskFree", {});
  const total = metrics.gauge("diskTotal", {});
  const look = () => {
    disk.space(options.directory).then(
      (space) => {
        free.set(space.freeBytes);
        total.set(space.totalBytes);
      },
      () => undefined,
    );
    options.timers.after(diskLookMs, look);
  };
  look();
}

export interface DiskMetricsOptions {
  readonly directory: string;
  readonly timers: Timers;
}

function registerCompaction(metrics: Metrics, broker: Broker): void {
  const { stats, budget } = broker.replicas.cleaner;
  metrics.onScrape("compactionBytesRead", {}, () => budget.bytesRead);
  metrics.onScrape("compactionBytesWritten", {}, () => budget.bytesWritten);
  metrics.onScrape("compactionRuns", { outcome: "done" }, () => stats.runs);
  metrics.onScrape("compactionRuns", { outcome: "failed" }, () => stats.failures);
  metrics.onScrape("compactionRecordsRemoved", {}, () => stats.recordsRemoved);
  metrics.onScrape("compactionDirtyRatio", {}, () => stats.dirtyRatioMax);
  metrics.onScrape("compactionLastRun", {}, () => stats.lastRunMs / 1_000);
  metrics.onScrape("compactionMapUse", {}, () => stats.lastMapUse);
}

function registerPeers(metrics: Metrics, broker: Broker): void {
  for (const id of broker.image.brokers.keys()) {
    if (id === broker.id) continue;
    metrics.onScrape("replicatedBytesSent", { peer: `${id}` }, () => broker.links.pushed(id).bytes);
    metrics.onScrape("catchUpBytesSent", { peer: `${id}` }, () => broker.links.pushed(id).caughtUpBytes);
  }
}

function registerTenants(metrics: Metrics, broker: Broker): void {
  for (const lkc of broker.image.logicalClusters.keys()) {
    metrics.onScrape("logSize", { lkc }, () => {
      let bytes = 0;
      for (const replica of broker.replicas.replicas())
        if (broker.image.topics.get(replica.context.topicId)?.lkc === lkc) bytes += replica.log.sizeBytes;
      return bytes;
    });
  }
}

/** Counts the events that parts of a broker tell of; `tookMs` is how long an election, or a load, took. */
export function brokerEventCounter(metrics: Metrics): (event: BrokerEvent, count: number, tookMs?: number) => void {
  const truncations = metrics.counter("truncations", {});
  const copies = metrics.counter("compactionCopies", {});
  const elections = metrics.counter("controllerElections", {});
  const failovers = metrics.counter("failovers", { reason: "elected" });
  const recoveries = metrics.counter("failovers", { reason: "recovered" });
  const latency = metrics.histogram("failoverLatency", {});
  const loads = metrics.counter("coordinatorsLoaded", {});
  const loadLatency = metrics.histogram("coordinatorLoadLatency", {});
  const loadFailures = metrics.counter("coordinatorLoadFailures", {});
  return (event, count, tookMs) => {
    switch (event) {
      case "truncated":
        truncations.add(count);
        return;
      case "copied-anew":
        copies.add(count);
        return;
      case "compacted":
        return;
      case "controller-elected":
        elections.add(count);
        return;
      case "leader-elected":
        failovers.add(count);
        if (tookMs !== undefined) latency.observe(tookMs / 1_000);
        return;
      case "recovered":
        recoveries.add(count);
        return;
      case "coordinator-loaded":
        loads.add(count);
        if (tookMs !== undefined) loadLatency.observe(tookMs / 1_000);
        return;
      case "coordinator-not-loaded":
        loadFailures.add(count);
        return;
    }
  };
}

function partitionsWithoutLeader(broker: Broker): number {
  let count = 0;
  for (const topic of broker.image.topics.values())
    for (const partition of topic.partitions) if (!broker.links.isAlive(partition.leader)) count++;
  return count;
}

function partitionsUnderReplicated(broker: Broker): number {
  let count = 0;
  for (const replica of broker.replicas.replicas()) {
    const leader = replica.leader;
    if (leader !== undefined && leader.inSyncReplicas().length < replica.record.voters.length) count++;
  }
  return count;
}

function countReplicas(broker: Broker, led: boolean): number {
  let count = 0;
  for (const replica of broker.replicas.replicas()) if ((replica.leader !== undefined) === led) count++;
  return count;
}
