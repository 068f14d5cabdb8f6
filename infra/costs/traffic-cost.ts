/** What a GB of records costs on its way, beside what stands there anyway. */
import { prices } from "./prices.ts";

export interface TrafficCost {
  readonly what: string;
  /** GB of transfer between zones for each GB of records. */
  readonly crossings: number;
  /** GB through the load balancer. */
  readonly balanced: number;
  readonly dollars: number;
}

/** Clients inside AWS that stand in a zone without regard to where a partition's leader is: two of three meet another zone. */
const otherZone = 2 / 3;

function traffic(what: string, crossings: number, balanced: number): TrafficCost {
  const dollars = crossings * prices.zoneCrossingGb.dollars + balanced * prices.balancerUnit.dollars;
  return { what, crossings, balanced, dollars };
}

/** Balancer, router and leader are in one zone: clients go by the leader's own name, `b<id>-<lkc>.<zone>.<domain>`. */
export const trafficCosts: readonly TrafficCost[] = [
  traffic("replicated to both other zones (replication factor 3)", 2, 0),
  traffic("produced by a client in AWS, in any zone", otherZone, 1),
  traffic("read by a client in AWS, in any zone", otherZone, 1),
  traffic("produced from the internet", 0, 1),
];
