import { readNetworks } from "../proxy-protocol/network-list.ts";
import { isDomain, isZoneId } from "../tenancy/host-name.ts";
import { ConfigReader } from "./config-reader.ts";

/**
 * What a broker process is started with: one JSON file, written by whoever supervises it (`local` here, the container's
 * entry in the cloud) with mode 0600. It names files that hold secrets; it holds none itself. The cell's
 * configs (num.partitions and the like) are not in here: the metadata log has them, the same for all brokers.
 */
export interface BrokerConfig {
  /** Name of the cell and of its metadata log. */
  readonly cell: string;
  /** Goes into the high bits of producer ids, so that they are unique in the fleet. */
  readonly cellNumber: number;
  /** The id wanted, -1 for any; the broker takes a new one when its data did not survive (DESIGN section 5, Survival). */
  readonly brokerId: number;
  readonly zone: string;
  readonly dataDirectory: string;
  /** Where other brokers of the cell reach this one. */
  readonly peer: HostAndPort;
  /** `/metrics` and `/healthz`; loopback on one machine. */
  readonly admin: HostAndPort;
  readonly listeners: readonly ListenerConfig[];
  /** At least 32 bytes, the same for every broker of the cell: proves brokers to one another. */
  readonly cellSecretFile: string;
  readonly items: ItemStoreConfig;
  readonly objects: ObjectStoreConfig;
  /**
   * The control plane's table, to which the cell's controller writes how full the cell is; left out where no provisioning
   * API places logical clusters.
   */
  readonly control?: ItemStoreConfig;
  /** A partition without a surviving majority recovers to the highest rank by itself: for the local cloud only. */
  readonly recoverWithoutMajority: boolean;
}

export interface HostAndPort {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export type ListenerConfig = PlaintextListener | SaslSslListener;

interface ListenerAddress extends HostAndPort {
  /** By which brokers tell each other's listeners apart, as Kafka does: `PLAINTEXT`, `SASL_SSL`. */
  readonly name: string;
  /** What Metadata tells clients that came through this listener. */
  readonly advertisedHost: string;
  readonly advertisedPort: number;
}

export interface PlaintextListener extends ListenerAddress {
  readonly protocol: "plaintext";
  /** Every connection is bound to this logical cluster, without credentials: only ever on loopback. */
  readonly lkc: string;
}

export interface SaslSslListener extends ListenerAddress {
  readonly protocol: "sasl_ssl";
  /** PEM: the server's certificate and the chain after it. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /**
   * Where routers stand before this listener: clients are told brokers by name (`b<id>-<lkc>.<zone>.<domain>`) at the
   * routers' port, and a client that names another logical cluster than its key's is refused. `advertisedHost` and
   * `advertisedPort` are then what routers connect to.
   */
  readonly routed?: RoutedNames;
  /**
   * Networks in CIDR notation from which connections come with a PROXY header (version 2), without which they are
   * closed; from anywhere else none are accepted. Left out or empty: clients connect by themselves.
   */
  readonly proxyProtocolFrom?: readonly string[];
}

/** What clients use to reach brokers through routers. */
export interface RoutedNames {
  readonly domain: string;
  readonly port: number;
}

/** `socket`: the embedded store's Unix socket (docs/adr/0004). */
export type ItemStoreConfig =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "dynamodb"; readonly endpoint?: string; readonly region: string; readonly table: string };

export type ObjectStoreConfig =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "s3"; readonly endpoint?: string; readonly region: string; readonly bucket: string };

export type BrokerConfigResult =
  | { readonly kind: "valid"; readonly config: BrokerConfig }
  /** One sentence a problem, each naming the field. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** The line that a broker prints on stdout, and flushes, when it serves. */
export interface BrokerReadyLine {
  readonly event: "ready";
  /** The id it took; not always the one wanted. */
  readonly brokerId: number;
  readonly peerPort: number;
  readonly adminPort: number;
  /** By listener name. */
  readonly listenerPorts: Readonly<Record<string, number>>;
}

const cellNumberMax = 0x7fff;
const brokerIdMax = 0x7fff_ffff;
const loopbackHosts = ["127.0.0.1", "::1", "localhost"];

/** Reads a parsed JSON value; unknown and missing fields are refused, all problems are told at once. */
export function readBrokerConfig(json: unknown): BrokerConfigResult {
  const reader = new ConfigReader(json, "");
  const control = reader.optionalObject("control");
  const config: BrokerConfig = {
    cell: reader.text("cell"),
    cellNumber: reader.integer("cellNumber", 0, cellNumberMax),
    brokerId: reader.integer("brokerId", -1, brokerIdMax),
    zone: reader.text("zone"),
    dataDirectory: reader.text("dataDirectory"),
    peer: readHostAndPort(reader.object("peer")),
    admin: readHostAndPort(reader.object("admin")),
    listeners: reader.objects("listeners").map(readListener),
    cellSecretFile: reader.text("cellSecretFile"),
    items: readItemStore(reader.object("items")),
    objects: readObjectStore(reader.object("objects")),
    ...(control === undefined ? {} : { control: readItemStore(control) }),
    recoverWithoutMajority: reader.flag("recoverWithoutMajority"),
  };
  reader.finish();
  const routed = config.listeners.some((listener) => listener.protocol === "sasl_ssl" && listener.routed !== undefined);
  if (routed && !isZoneId(config.zone))
    reader.refuse("zone", "must be a DNS label: brokers behind routers are named by it");
  const names = config.listeners.map(({ name }) => name);
  if (names.length === 0) reader.refuse("listeners", "at least one is needed");
  if (new Set(names).size < names.length) reader.refuse("listeners", "names must be unique");
  const { problems } = reader;
  return problems.length === 0 ? { kind: "valid", config } : { kind: "invalid", problems };
}

export function readHostAndPort(reader: ConfigReader): HostAndPort {
  const address = { host: reader.text("host"), port: reader.port("port") };
  reader.finish();
  return address;
}

function readListener(reader: ConfigReader): ListenerConfig {
  const address: ListenerAddress = {
    name: reader.text("name"),
    host: reader.text("host"),
    port: reader.port("port"),
    advertisedHost: reader.text("advertisedHost"),
    advertisedPort: reader.port("advertisedPort"),
  };
  let listener: ListenerConfig;
  if (reader.oneOf("protocol", ["plaintext", "sasl_ssl"]) === "plaintext") {
    if (!loopbackHosts.includes(address.host)) reader.refuse("host", "a plaintext listener must be on loopback");
    listener = { ...address, protocol: "plaintext", lkc: reader.text("lkc") };
  } else {
    const files = { certificateFile: reader.text("certificateFile"), keyFile: reader.text("keyFile") };
    const routed = reader.has("routed") ? { routed: readRoutedNames(reader.object("routed")) } : {};
    const proxyProtocolFrom = readProxyNetworks(reader);
    const proxied = proxyProtocolFrom.length > 0 ? { proxyProtocolFrom } : {};
    listener = { ...address, protocol: "sasl_ssl", ...files, ...routed, ...proxied };
  }
  reader.finish();
  return listener;
}

function readRoutedNames(reader: ConfigReader): RoutedNames {
  const names = { domain: readDomain(reader), port: reader.port("port") };
  reader.finish();
  return names;
}

export function readDomain(reader: ConfigReader): string {
  const domain = reader.text("domain");
  if (domain !== "" && !isDomain(domain)) reader.refuse("domain", "must be a DNS name in lower case");
  return domain;
}

export function readProxyNetworks(reader: ConfigReader): readonly string[] {
  const texts = reader.optionalTexts("proxyProtocolFrom");
  const networks = readNetworks(texts);
  if (networks.kind === "invalid") {
    for (const problem of networks.problems) reader.refuse("proxyProtocolFrom", problem);
  }
  return texts;
}

export function readItemStore(reader: ConfigReader): ItemStoreConfig {
  let store: ItemStoreConfig;
  if (reader.oneOf("kind", ["socket", "dynamodb"]) === "socket") {
    store = { kind: "socket", path: reader.text("path") };
  } else {
    const endpoint = reader.optionalText("endpoint");
    const table = { region: reader.text("region"), table: reader.text("table") };
    store = { kind: "dynamodb", ...(endpoint === undefined ? {} : { endpoint }), ...table };
  }
  reader.finish();
  return store;
}

export function readObjectStore(reader: ConfigReader): ObjectStoreConfig {
  let store: ObjectStoreConfig;
  if (reader.oneOf("kind", ["directory", "s3"]) === "directory") {
    store = { kind: "directory", path: reader.text("path") };
  } else {
    const endpoint = reader.optionalText("endpoint");
    const bucket = { region: reader.text("region"), bucket: reader.text("bucket") };
    store = { kind: "s3", ...(endpoint === undefined ? {} : { endpoint }), ...bucket };
  }
  reader.finish();
  return store;
}
