import type { BrokerId, PartitionState } from "../../shared/metadata/records/record.ts";
import type { PeerLinks } from "../peer/peer-links.ts";
import { isQuorum, majority } from "../replication/quorum.ts";
import type { ClusterView } from "./election-core.ts";
import { isolatedLeaderMs } from "./limits.ts";

type Links = Pick<PeerLinks, "alive" | "isAlive" | "isDraining" | "link">;

/** Who hears whom in the cell, as heartbeats tell it, and since when a pair has not. */
export class CellView implements ClusterView {
  readonly #self: BrokerId;
  readonly #links: Links;
  /** Pairs of live brokers that do not hear each other, and since when (monotonic milliseconds). */
  readonly #brokenSince = new Map<string, number>();
  #nowMs = 0;

  constructor(self: BrokerId, links: Links) {
    this.#self = self;
    this.#links = links;
  }

  /** Looks again; called at every tick. */
  observe(nowMs: number): void {
    this.#nowMs = nowMs;
    const alive = this.#links.alive();
    const broken = new Set<string>();
    for (const a of alive) {
      for (const b of alive) {
        if (a >= b || (this.#hears(a, b) && this.#hears(b, a))) continue;
        const pair = `${a}-${b}`;
        broken.add(pair);
        if (!this.#brokenSince.has(pair)) this.#brokenSince.set(pair, nowMs);
      }
    }
    for (const pair of this.#brokenSince.keys()) if (!broken.has(pair)) this.#brokenSince.delete(pair);
  }

  isAlive(broker: BrokerId): boolean {
    return this.#links.isAlive(broker);
  }

  isConnected(leader: BrokerId, record: PartitionState): boolean {
    return isQuorum(record, (voter) => voter === leader || (this.isAlive(voter) && !this.#isBroken(leader, voter)));
  }

  /** About to stop, or cut off from so many live brokers that it would be replaced again at once. */
  isDraining(broker: BrokerId): boolean {
    if (this.#links.isDraining(broker)) return true;
    const alive = this.#links.alive();
    return alive.filter((other) => other === broker || !this.#isBroken(broker, other)).length < majority(alive.length);
  }

  /** Does any other live broker hear this one? */
  isHeardByOthers(broker: BrokerId): boolean {
    return this.#links.alive().some((other) => other !== this.#self && other !== broker && this.#hears(other, broker));
  }

  #isBroken(a: BrokerId, b: BrokerId): boolean {
    const since = this.#brokenSince.get(a < b ? `${a}-${b}` : `${b}-${a}`);
    return since !== undefined && this.#nowMs - since >= isolatedLeaderMs;
  }

  #hears(from: BrokerId, to: BrokerId): boolean {
    if (from === this.#self) return this.#links.isAlive(to);
    return this.#links.link(from)?.peerHears.has(to) ?? false;
  }
}
