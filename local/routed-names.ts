import { formatHostName } from "../shared/tenancy/host-name.ts";

/** Names of logical clusters and brokers lie under it; README says which resolvers know that they are this machine. */
export const localDomain = "balafon.localhost";

/** As in the cloud: a cell is spread over three. */
export const localZones = ["zone-a", "zone-b", "zone-c"] as const;

/** The listener that brokers keep for the router. */
export const routedListener = "ROUTED";

export function brokerZone(slot: number): string {
  return localZones[(slot - 1) % localZones.length] ?? localZones[0];
}

/** `lkc-dev.balafon.localhost:9392`: what a client of the logical cluster starts from. */
export function routedBootstrap(lkc: string, routerPort: number): string {
  return `${formatHostName({ kind: "bootstrap", lkc }, localDomain)}:${routerPort}`;
}

/** Every name that a client of the logical cluster will look up, on one line of a hosts file. */
export function hostsLineOf(names: {
  readonly address: string;
  readonly domain: string;
  readonly lkc: string;
  readonly brokers: readonly { readonly id: number; readonly zone: string }[];
}): string {
  const { address, domain, lkc, brokers } = names;
  return [
    address,
    formatHostName({ kind: "bootstrap", lkc }, domain),
    ...brokers.map(({ id, zone }) => formatHostName({ kind: "broker", lkc, brokerId: id, zone }, domain)),
  ].join(" ");
}

/** The same for the cloud on this machine. */
export function hostsLine(lkc: string, brokers: readonly { readonly id: number; readonly slot: number }[]): string {
  return hostsLineOf({
    address: "127.0.0.1",
    domain: localDomain,
    lkc,
    brokers: brokers.map(({ id, slot }) => ({ id, zone: brokerZone(slot) })),
  });
}
