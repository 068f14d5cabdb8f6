import { byTenant, latencyBuckets, type MetricDefinition, noLabels } from "./metric-definition.ts";

/** What a router counts; brokers have none of these. */
export const routerMetrics = {
  routerConnections: {
    name: "balafon_router_connections",
    kind: "gauge",
    unit: "connections",
    labels: ["state"],
    help: "Open connections: stranger (no broker chosen yet), routed.",
  },
  routerOpened: {
    name: "balafon_router_connections_routed_total",
    kind: "counter",
    unit: "connections",
    labels: byTenant,
    help: "Connections that were joined to a broker.",
  },
  routerClosed: {
    name: "balafon_router_connections_closed_total",
    kind: "counter",
    unit: "connections",
    labels: ["reason"],
    help: "Routed connections that ended, by reason; broker-dead: reset because the broker was given up.",
  },
  routerRefused: {
    name: "balafon_router_connections_refused_total",
    kind: "counter",
    unit: "connections",
    labels: ["reason"],
    help: "Connections that reached no broker: limits, names that nobody has, bytes that are no TLS.",
  },
  routerBytes: {
    name: "balafon_router_bytes_total",
    kind: "counter",
    unit: "bytes",
    labels: ["lkc", "direction"],
    help: "Bytes carried, encrypted as they are: in, from clients; out, to them.",
  },
  routerRouteLatency: {
    name: "balafon_router_route_latency_seconds",
    kind: "histogram",
    unit: "seconds",
    labels: noLabels,
    buckets: latencyBuckets,
    help: "From accepting a connection to joining it to its broker; the client's hello is waited for in it.",
  },
  routerBrokers: {
    name: "balafon_router_brokers",
    kind: "gauge",
    unit: "brokers",
    labels: ["condition"],
    help: "Brokers as this router sees them: live; doubted, which get no new connections; cut, whose connections were reset.",
  },
  routerLogAge: {
    name: "balafon_router_log_age_seconds",
    kind: "gauge",
    unit: "seconds",
    labels: ["cell"],
    help: "Since the store confirmed that the cell's log is read to its end; grows while the store does not answer.",
  },
} as const satisfies Record<string, MetricDefinition>;
