/**
 * Names under which clients reach a logical cluster; the router reads them from the TLS ClientHello (DESIGN section 9).
 *
 * - `<lkc>.<domain>`: any broker of the cell;
 * - `b<id>-<lkc>.<zone id>.<domain>`: that broker, through its own zone.
 */
import { isLogicalClusterId } from "./logical-cluster-id.ts";

export type HostName =
  | { readonly kind: "bootstrap"; readonly lkc: string }
  | { readonly kind: "broker"; readonly lkc: string; readonly brokerId: number; readonly zone: string };

const zonePattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** Broker ids fit 31 bits, as in the Kafka protocol. */
const brokerLabel = /^b(0|[1-9]\d{0,9})-(lkc-[a-z0-9]+)$/;
const brokerIdMax = 2 ** 31 - 1;

/** Labels of letters, digits and inner hyphens, in lower case; 180 characters leave room for a broker's name before it. */
const domainPattern = /^(?=.{1,180}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function isDomain(text: string): boolean {
  return domainPattern.test(text);
}

export function isZoneId(text: string): boolean {
  return zonePattern.test(text);
}

export function formatHostName(name: HostName, domain: string): string {
  switch (name.kind) {
    case "bootstrap":
      return `${name.lkc}.${domain}`;
    case "broker":
      return `b${name.brokerId}-${name.lkc}.${name.zone}.${domain}`;
  }
}

/** The meaning of a name under `domain`; undefined when it has none. Letter case does not matter, as in DNS. */
export function parseHostName(host: string, domain: string): HostName | undefined {
  const lower = host.toLowerCase();
  const suffix = `.${domain.toLowerCase()}`;
  if (!lower.endsWith(suffix)) {
    return undefined;
  }
  const [first = "", zone, ...rest] = lower.slice(0, -suffix.length).split(".");
  if (rest.length > 0) {
    return undefined;
  }
  if (zone === undefined) {
    return isLogicalClusterId(first) ? { kind: "bootstrap", lkc: first } : undefined;
  }
  const [, id = "", lkc = ""] = brokerLabel.exec(first) ?? [];
  if (!isLogicalClusterId(lkc) || !isZoneId(zone) || Number(id) > brokerIdMax) {
    return undefined;
  }
  return { kind: "broker", lkc, brokerId: Number(id), zone };
}
