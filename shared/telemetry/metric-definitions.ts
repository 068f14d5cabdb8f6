import { compactionMetrics } from "./compaction-metrics.ts";
import { groupMetrics } from "./group-metrics.ts";
import { byTenant, latencyBuckets, type MetricDefinition, noLabels } from "./metric-definition.ts";
import { routerMetrics } from "./router-metrics.ts";

/**
 * Every metric of Balafon, in one table: docs/metrics.md is made from it (`npm run docs`), and the types of `Metrics`
 * too, so that a metric that is not described here cannot be counted. Times are in seconds and sizes in bytes, as
 * Prometheus asks.
 */

/** What clients do: produce and fetch, by tenant. */
const clientMetrics = {
  produceRequests: {
    name: "balafon_produce_requests_total",
    kind: "counter",
    unit: "requests",
    labels: byTenant,
    help: "Produce requests answered, with or without an error.",
  },
  produceBytes: {
    name: "balafon_produce_bytes_total",
    kind: "counter",
    unit: "bytes",
    labels: byTenant,
    help: "Bytes of record batches appended for producers, as received (compressed).",
  },
  produceRecords: {
    name: "balafon_produce_records_total",
    kind: "counter",
    unit: "records",
    labels: byTenant,
    help: "Records appended for producers, as the batch headers count them.",
  },
  produceLatency: {
    name: "balafon_produce_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: byTenant,
    buckets: latencyBuckets,
    help: "From a produce request read whole to its answer handed to the socket; waits for the quorum included.",
  },
  produceErrors: {
    name: "balafon_produce_errors_total",
    kind: "counter",
    unit: "events",
    labels: ["lkc", "error"],
    help: "Partitions of produce requests answered with an error, by Kafka's error name.",
  },
  producerDuplicates: {
    name: "balafon_produce_duplicate_batches_total",
    kind: "counter",
    unit: "events",
    labels: byTenant,
    help: "Batches that an idempotent producer sent again and that were already in the log.",
  },
  fetchRequests: {
    name: "balafon_fetch_requests_total",
    kind: "counter",
    unit: "requests",
    labels: byTenant,
    help: "Fetch requests of consumers answered, with or without an error.",
  },
  fetchBytes: {
    name: "balafon_fetch_bytes_total",
    kind: "counter",
    unit: "bytes",
    labels: byTenant,
    help: "Bytes of record batches handed to consumers.",
  },
  fetchLatency: {
    name: "balafon_fetch_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: byTenant,
    buckets: latencyBuckets,
    help: "From a fetch request read whole to its answer handed to the socket, the long poll left out.",
  },
  fetchErrors: {
    name: "balafon_fetch_errors_total",
    kind: "counter",
    unit: "events",
    labels: ["lkc", "error"],
    help: "Partitions of fetch requests answered with an error, by Kafka's error name.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** The wire: all requests and connections. */
const connectionMetrics = {
  requests: {
    name: "balafon_requests_total",
    kind: "counter",
    unit: "requests",
    labels: ["api"],
    help: "Requests answered, by Kafka API.",
  },
  requestLatency: {
    name: "balafon_request_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: ["api"],
    buckets: latencyBuckets,
    help: "From a request read whole to its answer handed to the socket, by Kafka API.",
  },
  connections: {
    name: "balafon_connections",
    kind: "gauge",
    unit: "connections",
    labels: ["listener"],
    help: "Open client connections.",
  },
  connectionsOpened: {
    name: "balafon_connections_opened_total",
    kind: "counter",
    unit: "connections",
    labels: ["listener"],
    help: "Client connections accepted.",
  },
  connectionsClosed: {
    name: "balafon_connections_closed_total",
    kind: "counter",
    unit: "connections",
    labels: ["listener", "reason"],
    help: "Client connections closed, by reason: the client left, idle, protocol error, limit, shutdown.",
  },
  authenticationFailures: {
    name: "balafon_authentication_failures_total",
    kind: "counter",
    unit: "events",
    labels: ["listener"],
    help: "SASL attempts refused and TLS handshakes that failed.",
  },
  protocolErrors: {
    name: "balafon_protocol_errors_total",
    kind: "counter",
    unit: "events",
    labels: ["listener"],
    help: "Frames or messages that could not be read; each ends its connection.",
  },
  requestMemory: {
    name: "balafon_request_memory_bytes",
    kind: "gauge",
    unit: "bytes",
    labels: noLabels,
    help: "Memory reserved by requests that are read or worked on.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** Partitions and their replication. */
const replicationMetrics = {
  partitionsWithoutLeader: {
    name: "balafon_partitions_without_leader",
    kind: "gauge",
    unit: "partitions",
    labels: noLabels,
    help: "Partitions of the cell that nobody leads, as this broker's image shows it; above zero for more than seconds, writes fail.",
  },
  partitionsUnderReplicated: {
    name: "balafon_partitions_under_replicated",
    kind: "gauge",
    unit: "partitions",
    labels: noLabels,
    help: "Partitions led here with a voter that is down or behind the lag bound.",
  },
  partitionsLed: {
    name: "balafon_partitions_led",
    kind: "gauge",
    unit: "partitions",
    labels: noLabels,
    help: "Partitions that this broker leads.",
  },
  partitionsFollowed: {
    name: "balafon_partitions_followed",
    kind: "gauge",
    unit: "partitions",
    labels: noLabels,
    help: "Partitions that this broker follows.",
  },
  replicatedBytesSent: {
    name: "balafon_replicated_bytes_sent_total",
    kind: "counter",
    unit: "bytes",
    labels: ["peer"],
    help: "Bytes of record batches pushed to a follower.",
  },
  catchUpBytesSent: {
    name: "balafon_catch_up_bytes_sent_total",
    kind: "counter",
    unit: "bytes",
    labels: ["peer"],
    help: "The part of the pushed bytes that was read back from segment files.",
  },
  peerConnections: {
    name: "balafon_peer_connections",
    kind: "gauge",
    unit: "connections",
    labels: noLabels,
    help: "Authenticated connections to other brokers of the cell.",
  },
  peerConnectionsRefused: {
    name: "balafon_peer_connections_refused_total",
    kind: "counter",
    unit: "connections",
    labels: ["reason"],
    help: "Connections on the peer port that were closed before they were authenticated.",
  },
  truncations: {
    name: "balafon_truncations_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Times a follower cut its log back to its leader's history.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** The metadata log and the controller. */
const metadataMetrics = {
  metadataAppendLatency: {
    name: "balafon_metadata_append_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: ["outcome"],
    buckets: latencyBuckets,
    help: "One conditional put of an entry, by outcome: done, conflict, throttled, unavailable, unknown, invalid.",
  },
  metadataSequence: {
    name: "balafon_metadata_applied_entries",
    kind: "gauge",
    unit: "entries",
    labels: noLabels,
    help: "Number of the last entry of the metadata log that this broker applied.",
  },
  metadataReadFailures: {
    name: "balafon_metadata_read_failures_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Reads of the metadata log that failed; the data path goes on without them.",
  },
  controllerActive: {
    name: "balafon_controller_active_flag",
    kind: "gauge",
    unit: "flag",
    labels: noLabels,
    help: "1 on the broker that is the cell's controller.",
  },
  controllerElections: {
    name: "balafon_controller_elections_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Times this broker became the controller.",
  },
  failovers: {
    name: "balafon_failovers_total",
    kind: "counter",
    unit: "events",
    labels: ["reason"],
    help: "Partitions for which this controller elected a new leader, by reason: broker died, silent, shut down, asked for, recovered.",
  },
  failoverLatency: {
    name: "balafon_failover_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: noLabels,
    buckets: latencyBuckets,
    help: "From the suspicion of a leader to its successors in the metadata log.",
  },
  brokersAlive: {
    name: "balafon_brokers_alive",
    kind: "gauge",
    unit: "brokers",
    labels: noLabels,
    help: "Brokers of the cell that the controller hears; 0 on a broker that is not the controller.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** Files. */
const storageMetrics = {
  logAppendLatency: {
    name: "balafon_log_append_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: noLabels,
    buckets: latencyBuckets,
    help: "One write to segment files, from its start to the operating system's answer.",
  },
  logSyncLatency: {
    name: "balafon_log_sync_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: noLabels,
    buckets: latencyBuckets,
    help: "One fdatasync of a segment or state file.",
  },
  logFailures: {
    name: "balafon_log_failures_total",
    kind: "counter",
    unit: "events",
    labels: ["operation"],
    help: "Reads, writes and syncs that the disk refused; a leader that meets one gives its partitions up.",
  },
  logSize: {
    name: "balafon_log_size_bytes",
    kind: "gauge",
    unit: "bytes",
    labels: byTenant,
    help: "Bytes of segment files on this broker.",
  },
  diskFree: {
    name: "balafon_disk_free_bytes",
    kind: "gauge",
    unit: "bytes",
    labels: noLabels,
    help: "Free bytes of the volume of the data directory.",
  },
  diskTotal: {
    name: "balafon_disk_size_bytes",
    kind: "gauge",
    unit: "bytes",
    labels: noLabels,
    help: "Size of the volume of the data directory.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** The process. */
const processMetrics = {
  eventLoopDelay: {
    name: "balafon_event_loop_delay_seconds",
    kind: "gauge",
    unit: "seconds",
    labels: ["quantile"],
    help: "Delay of the event loop since the scrape before, at the quantiles 0.5, 0.99 and 1.",
  },
  eventLoopUse: {
    name: "balafon_event_loop_busy_seconds_total",
    kind: "counter",
    unit: "seconds",
    labels: noLabels,
    help: "Time in which the event loop was not idle.",
  },
  memory: {
    name: "balafon_memory_bytes",
    kind: "gauge",
    unit: "bytes",
    labels: ["kind"],
    help: "Memory of the process: rss, heap_used, heap_size, external, array_buffers.",
  },
  cpu: {
    name: "balafon_cpu_seconds_total",
    kind: "counter",
    unit: "seconds",
    labels: ["mode"],
    help: "Processor time of the process in user and system mode.",
  },
  startTime: {
    name: "balafon_process_start_time_seconds",
    kind: "gauge",
    unit: "seconds",
    labels: noLabels,
    help: "When the process started, in seconds since the Unix epoch.",
  },
  logLines: {
    name: "balafon_log_lines_total",
    kind: "counter",
    unit: "lines",
    labels: ["level"],
    help: "Lines written to the process's own log, by level.",
  },
} as const satisfies Record<string, MetricDefinition>;

/** Printed for CloudWatch by functions of the fleet; no process shows them. */
const functionMetrics = {
  reconcileFailures: {
    name: "balafon_reconcile_failures_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Objects of the provisioning API that the reconciler could not settle in a run, and runs that failed; in CloudWatch only.",
  },
  certificateFailures: {
    name: "balafon_certificate_failures_total",
    kind: "counter",
    unit: "events",
    labels: noLabels,
    help: "Runs that found no certificate that brokers could use, or could not copy the renewed one; in CloudWatch only.",
  },
  certificateDaysLeft: {
    name: "balafon_certificate_left_days",
    kind: "gauge",
    unit: "days",
    labels: noLabels,
    help: "Days until the certificate in the fleet's secret ends; 0 when there is none. In CloudWatch only.",
  },
} as const satisfies Record<string, MetricDefinition>;

export const metricDefinitions = {
  ...clientMetrics,
  ...connectionMetrics,
  ...replicationMetrics,
  ...metadataMetrics,
  ...storageMetrics,
  ...compactionMetrics,
  ...groupMetrics,
  ...routerMetrics,
  ...processMetrics,
  ...functionMetrics,
} as const satisfies Record<string, MetricDefinition>;

/** The table by chapter, in the order of docs/metrics.md. */
export const metricChapters: Readonly<Record<string, Readonly<Record<string, MetricDefinition>>>> = {
  "What clients do": clientMetrics,
  "Requests and connections": connectionMetrics,
  "Partitions and replication": replicationMetrics,
  "Metadata log and controller": metadataMetrics,
  Files: storageMetrics,
  Compaction: compactionMetrics,
  "Consumer groups": groupMetrics,
  Router: routerMetrics,
  Process: processMetrics,
  "Functions of the fleet": functionMetrics,
};
