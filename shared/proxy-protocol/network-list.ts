import { BlockList, isIP, isIPv4 } from "node:net";
import { networksMax } from "./limits.ts";

/** Networks in CIDR notation: who may say, by a PROXY header, that a connection is somebody else's. */
export interface NetworkList {
  /** Whether the address lies in one of the networks; an IPv4 address in the guise of IPv6 counts as what it is. */
  includes(address: string): boolean;
}

/** The list, or one sentence a problem. */
export type NetworkListResult =
  | { readonly kind: "networks"; readonly list: NetworkList }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

const bitsMax = { ipv4: 32, ipv6: 128 } as const;

/** Reads texts like `10.0.0.0/16`, `fd00::/8`; an address alone is a network of one. */
export function readNetworks(texts: readonly string[]): NetworkListResult {
  if (texts.length > networksMax) return { kind: "invalid", problems: [`at most ${networksMax} networks`] };
  const list = new BlockList();
  const problems: string[] = [];
  for (const text of texts) {
    const [address = "", prefix, ...rest] = text.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    const bits = prefix === undefined ? bitsMax[family] : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (isIP(address) === 0 || rest.length > 0 || bits < 0 || bits > bitsMax[family]) {
      problems.push(`${text} is no network in CIDR notation, such as 10.0.0.0/16`);
      continue;
    }
    list.addSubnet(address, bits, family);
  }
  if (problems.length > 0) return { kind: "invalid", problems };
  return {
    kind: "networks",
    list: { includes: (address) => isIP(address) !== 0 && list.check(address, isIPv4(address) ? "ipv4" : "ipv6") },
  };
}
