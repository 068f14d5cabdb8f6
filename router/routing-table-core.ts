/**
 * Where a name leads, as the metadata logs of all cells tell it now. Nothing is kept beside the logs' own images, so a
 * change in a log is a change here, and no table has to be made, replaced or shared.
 */
import type { MetadataImage } from "../shared/metadata/image/metadata-image.ts";
import type { BrokerId, BrokerRegistered } from "../shared/metadata/records/record.ts";
import { parseHostName } from "../shared/tenancy/host-name.ts";
import { internalLogicalCluster } from "../shared/tenancy/logical-cluster-id.ts";

export interface RoutingRules {
  readonly domain: string;
  /** The router's own zone: traffic between zones costs money and time. */
  readonly zone: string;
  /** Name of the listener at which brokers expect routers. */
  readonly brokerListener: string;
}

/** A broker as routers know it. */
export interface RoutedBroker {
  readonly cell: string;
  readonly brokerId: BrokerId;
  readonly zone: string;
  readonly host: string;
  readonly port: number;
}

export type Route =
  /** Tried in this order; never empty. */
  | { readonly kind: "brokers"; readonly lkc: string; readonly candidates: readonly RoutedBroker[] }
  /** The name means something, but nobody is there to serve it now. */
  | { readonly kind: "unavailable"; readonly lkc: string }
  | { readonly kind: "unknown" };

export interface RoutingView {
  readonly images: Iterable<MetadataImage>;
  isLive(broker: RoutedBroker): boolean;
  /** In [0, 1): spreads clients over brokers that are equally near. */
  readonly spread: number;
}

const unknown: Route = Object.freeze({ kind: "unknown" });

export function route(name: string, rules: RoutingRules, view: RoutingView): Route {
  const meant = parseHostName(name, rules.domain);
  if (meant === undefined || meant.lkc === internalLogicalCluster) return unknown;
  const { lkc } = meant;
  const image = imageOf(lkc, view.images);
  if (image === undefined) return unknown;
  if (meant.kind === "bootstrap") return anyBroker(lkc, rules, { image, view });
  const broker = brokerOf(image, meant.brokerId, rules);
  if (broker === undefined || broker.zone !== meant.zone) return unknown;
  return view.isLive(broker) ? { kind: "brokers", lkc, candidates: [broker] } : { kind: "unavailable", lkc };
}

/** Every broker of a cell that routers can connect to. */
export function brokersOf(image: MetadataImage, rules: RoutingRules): readonly RoutedBroker[] {
  return [...image.brokers.values()].flatMap((registered) => routed(image, registered, rules) ?? []);
}

/** Whether the log names the broker as the leader of anything. */
export function leadsNothing(image: MetadataImage, brokerId: BrokerId): boolean {
  for (const topic of image.topics.values()) {
    if (topic.partitions.some(({ leader }) => leader === brokerId)) return false;
  }
  return true;
}

function anyBroker(
  lkc: string,
  rules: RoutingRules,
  { image, view }: { readonly image: MetadataImage; readonly view: RoutingView },
): Route {
  const live = brokersOf(image, rules).filter((broker) => view.isLive(broker));
  const near = rotated(
    live.filter(({ zone }) => zone === rules.zone),
    view.spread,
  );
  const far = rotated(
    live.filter(({ zone }) => zone !== rules.zone),
    view.spread,
  );
  const candidates = [...near, ...far];
  return candidates.length === 0 ? { kind: "unavailable", lkc } : { kind: "brokers", lkc, candidates };
}

function rotated(brokers: readonly RoutedBroker[], spread: number): readonly RoutedBroker[] {
  const first = Math.floor(spread * brokers.length);
  return [...brokers.slice(first), ...brokers.slice(0, first)];
}

/** The cell of a logical cluster, unless it is closed: then it is nowhere, until it is opened again. */
function imageOf(lkc: string, images: Iterable<MetadataImage>): MetadataImage | undefined {
  for (const image of images) {
    const cluster = image.logicalClusters.get(lkc);
    if (cluster !== undefined && cluster.closedMs === undefined) return image;
  }
  return undefined;
}

function brokerOf(image: MetadataImage, brokerId: BrokerId, rules: RoutingRules): RoutedBroker | undefined {
  const registered = image.brokers.get(brokerId);
  return registered === undefined ? undefined : routed(image, registered, rules);
}

function routed(image: MetadataImage, registered: BrokerRegistered, rules: RoutingRules): RoutedBroker | undefined {
  const endpoint = registered.listeners[rules.brokerListener];
  if (endpoint === undefined) return undefined;
  const { brokerId, zone } = registered;
  return { cell: image.cell, brokerId, zone, host: endpoint.host, port: endpoint.port };
}
