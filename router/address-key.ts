import { isIP } from "node:net";
import { parseAddress } from "../shared/proxy-protocol/address-bytes.ts";

/** Bytes of an IPv6 address that name its network; whoever has one address has them all. */
const networkBytes = 8;

/** What limits by address count by: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressKey(address: string): string {
  const version = isIP(address);
  if (version !== 6) return address;
  const bytes = parseAddress(address, 16);
  const mapped = bytes.subarray(0, 12).toString("hex") === "00000000000000000000ffff";
  return mapped ? bytes.subarray(12).join(".") : bytes.subarray(0, networkBytes).toString("hex");
}
