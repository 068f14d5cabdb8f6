import { byTenant, latencyBuckets, type MetricDefinition, noLabels } from "./metric-definition.ts";

/** Consumer groups and their coordinators. */
export const groupMetrics = {
  offsetCommits: {
    name: "balafon_offset_commits_total",
    kind: "counter",
    unit: "requests",
    labels: byTenant,
    help: "OffsetCommit requests answered, with or without an error.",
  },
  offsetCommitLatency: {
    name: "balafon_offset_commit_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: byTenant,
    buckets: latencyBuckets,
    help: "From a decoded OffsetCommit to its answer: the time until a quorum has it.",
  },
  groupsCoordinated: {
    name: "balafon_groups_coordinated",
    kind: "gauge",
    unit: "groups",
    labels: noLabels,
    help: "Consumer groups that this broker coordinates, of all tenants.",
  },
  coordinatorsLoaded: {
    name: "balafon_coordinators_loaded_total",
    kind: "counter",
    unit: "partitions",
    labels: noLabels,
    help: "Internal partitions of groups that this broker took over and has read.",
  },
  coordinatorLoadLatency: {
    name: "balafon_coordinator_load_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: noLabels,
    buckets: latencyBuckets,
    help: "From the begin of a leadership of an internal partition until its groups are served: what groups wait at a failover.",
  },
  coordinatorLoadFailures: {
    name: "balafon_coordinator_load_failures_total",
    kind: "counter",
    unit: "partitions",
    labels: noLabels,
    help: "Internal partitions that hold a record which this version cannot read: their groups are not served. Never normal.",
  },
} as const satisfies Record<string, MetricDefinition>;
