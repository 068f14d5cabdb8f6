import {
  type HostAndPort,
  type ItemStoreConfig,
  type ObjectStoreConfig,
  readDomain,
  readHostAndPort,
  readItemStore,
  readObjectStore,
  readProxyNetworks,
} from "../shared/broker-config/broker-config.ts";
import { ConfigReader } from "../shared/broker-config/config-reader.ts";
import { isZoneId } from "../shared/tenancy/host-name.ts";
import { cellsMax, type RouterLimits, routerLimits } from "./limits.ts";

/** What a router process is started with: one JSON file, as brokers have (`shared/broker-config`). */
export interface RouterConfig {
  /** Names of logical clusters lie under it. */
  readonly domain: string;
  /** The router's own. */
  readonly zone: string;
  readonly listen: HostAndPort;
  /** `/healthz` and nothing else: for the load balancer. */
  readonly health: HostAndPort;
  /** `/metrics`, and `/healthz` again; loopback on one machine. */
  readonly admin: HostAndPort;
  /** Networks in CIDR notation from which connections come with a PROXY header; empty: clients connect by themselves. */
  readonly proxyProtocolFrom: readonly string[];
  /** Name of the listener that brokers keep for routers. */
  readonly brokerListener: string;
  readonly cells: readonly CellLogConfig[];
  /** Bounds that differ from those in `limits.ts`. */
  readonly limits: RouterLimits;
  readonly drain: DrainConfig;
}

export interface CellLogConfig {
  /** Name of the cell and of its metadata log. */
  readonly cell: string;
  readonly items: ItemStoreConfig;
  readonly objects: ObjectStoreConfig;
  /** For an embedded store alone, which asks its clients for it. */
  readonly cellSecretFile?: string;
}

/** What happens on SIGTERM, in milliseconds from it. */
export interface DrainConfig {
  /** Health fails, and the listener still takes connections: as long as the balancer takes to notice. */
  readonly listenMs: number;
  /** Connections that have not ended by themselves are cut. */
  readonly deadlineMs: number;
}

export type RouterConfigResult =
  | { readonly kind: "valid"; readonly config: RouterConfig }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** The line that a router prints on stdout when it serves. */
export interface RouterReadyLine {
  readonly event: "ready";
  readonly port: number;
  readonly healthPort: number;
  readonly adminPort: number;
}

const drainMsMax = 3_600_000;
const limitMax = 10_000_000;

/** Reads a parsed JSON value; unknown and missing fields are refused, all problems are told at once. */
export function readRouterConfig(json: unknown): RouterConfigResult {
  const reader = new ConfigReader(json, "");
  const config: RouterConfig = {
    domain: readDomain(reader),
    zone: reader.text("zone"),
    listen: readHostAndPort(reader.object("listen")),
    health: readHostAndPort(reader.object("health")),
    admin: readHostAndPort(reader.object("admin")),
    proxyProtocolFrom: readProxyNetworks(reader),
    brokerListener: reader.text("brokerListener"),
    cells: reader.objects("cells").map(readCell),
    limits: reader.has("limits") ? readLimits(reader.object("limits")) : routerLimits,
    drain: readDrain(reader.object("drain")),
  };
  reader.finish();
  if (!isZoneId(config.zone)) reader.refuse("zone", "must be a DNS label");
  const names = config.cells.map(({ cell }) => cell);
  if (names.length === 0 || names.length > cellsMax) reader.refuse("cells", `from 1 to ${cellsMax} are needed`);
  if (new Set(names).size < names.length) reader.refuse("cells", "names must be unique");
  const { problems } = reader;
  return problems.length === 0 ? { kind: "valid", config } : { kind: "invalid", problems };
}

function readCell(reader: ConfigReader): CellLogConfig {
  const cellSecretFile = reader.optionalText("cellSecretFile");
  const cell: CellLogConfig = {
    cell: reader.text("cell"),
    items: readItemStore(reader.object("items")),
    objects: readObjectStore(reader.object("objects")),
    ...(cellSecretFile === undefined ? {} : { cellSecretFile }),
  };
  reader.finish();
  if (cell.items.kind === "socket" && cellSecretFile === undefined) {
    reader.refuse("cellSecretFile", "an embedded store asks for it");
  }
  return cell;
}

function readLimits(reader: ConfigReader): RouterLimits {
  const named = (name: keyof RouterLimits) =>
    reader.has(name) ? reader.integer(name, 1, limitMax) : routerLimits[name];
  const limits: RouterLimits = {
    connectionsMax: named("connectionsMax"),
    strangersMax: named("strangersMax"),
    connectionsPerAddressMax: named("connectionsPerAddressMax"),
    newPerSecondPerAddressMax: named("newPerSecondPerAddressMax"),
    connectionsPerClusterMax: named("connectionsPerClusterMax"),
    newPerSecondPerClusterMax: named("newPerSecondPerClusterMax"),
  };
  reader.finish();
  if (limits.strangersMax > limits.connectionsMax) reader.refuse("strangersMax", "must not exceed connectionsMax");
  return limits;
}

function readDrain(reader: ConfigReader): DrainConfig {
  const drain = {
    listenMs: reader.integer("listenMs", 0, drainMsMax),
    deadlineMs: reader.integer("deadlineMs", 0, drainMsMax),
  };
  reader.finish();
  if (drain.deadlineMs < drain.listenMs) reader.refuse("deadlineMs", "must not come before listenMs");
  return drain;
}
