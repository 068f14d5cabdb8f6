import type { Metrics } from "../shared/telemetry/metrics.ts";
import type { Broker, BrokerEvent } from "./broker.ts";

/** Shows what a broker's parts know, when somebody scrapes; counting costs nothing in between. */
export function registerBrokerMetrics(metrics: Metrics, broker: Broker): void {
  metrics.onScrape("partitionsWithoutLeader", {}, () => partitionsWithoutLeader(broker));
  metrics.onScrape("partitionsUnderReplicated", {}, () => partitionsUnderReplicated(broker));
  metrics.onScrape("partitionsLed", {}, () => countReplicas(broker, true));
  metrics.onScrape("partitionsFollowed", {}, () => countReplicas(broker, false));
  metrics.onScrape("peerConnections", {}, () => broker.links.links().length);
  metrics.onScrape("metadataSequence", {}, () => broker.image.seq);
  metrics.onScrape("controllerActive", {}, () => (broker.controller.inOffice ? 1 : 0));
  metrics.onScrape("brokersAlive", {}, () => (broker.controller.inOffice ? broker.links.alive().length : 0));
}

/** Counts the events that parts of a broker tell of. */
export function brokerEventCounter(metrics: Metrics): (event: BrokerEvent, count: number) => void {
  const truncations = metrics.counter("truncations", {});
  const elections = metrics.counter("controllerElections", {});
  const failovers = metrics.counter("failovers", { reason: "elected" });
  const recoveries = metrics.counter("failovers", { reason: "recovered" });
  const logFailures = metrics.counter("logFailures", { operation: "write" });
  return (event, count) => {
    switch (event) {
      case "truncated":
        truncations.add(count);
        return;
      case "controller-elected":
        elections.add(count);
        return;
      case "leader-elected":
        failovers.add(count);
        return;
      case "recovered":
        recoveries.add(count);
        return;
      case "log-failed":
        logFailures.add(count);
        return;
      case "became-leader":
      case "metadata-appended":
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
