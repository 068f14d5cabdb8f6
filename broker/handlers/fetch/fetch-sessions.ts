import type { LogicalClusterId } from "../../../shared/metadata/records/record.ts";
import type { Random } from "../../../shared/ports/random.ts";
import {
  fetchSessionEvictionMs,
  fetchSessionPartitionsMax,
  fetchSessionsMax,
  fetchSessionsPerTenantMax,
} from "../limits.ts";
import { FetchSession } from "./fetch-session.ts";

export interface FetchSessionLimits {
  readonly sessionsMax: number;
  readonly sessionsPerTenantMax: number;
  readonly partitionsMax: number;
  readonly evictionMs: number;
}

export const fetchSessionLimits: FetchSessionLimits = {
  sessionsMax: fetchSessionsMax,
  sessionsPerTenantMax: fetchSessionsPerTenantMax,
  partitionsMax: fetchSessionPartitionsMax,
  evictionMs: fetchSessionEvictionMs,
};

/** Session ids are positive int32; a few tries find a free one among thousands. */
const sessionIdMax = 0x7fff_fffe;
const idTriesMax = 8;

/**
 * The fetch sessions of this broker. Bounded: when there is no room for a new session, one goes that has lived for the
 * eviction time and is smaller than the new one (it gains less from being incremental); else the new one is refused, and
 * its client goes on with full fetches. As Apache Kafka does (KIP-227). Beyond it: a session that was not used for the
 * eviction time goes in any case, nobody may hold more than a tenant's share, and a tenant at its share evicts only its
 * own.
 */
export class FetchSessions {
  readonly #limits: FetchSessionLimits;
  readonly #random: Random;
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>();
  readonly #countByTenant = new Map<LogicalClusterId, number>();
  #partitions = 0;

  constructor(random: Random, limits: FetchSessionLimits = fetchSessionLimits) {
    this.#random = random;
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The tenant's session, or undefined: unknown, evicted, or somebody else's. */
  find(lkc: LogicalClusterId, id: number): FetchSession | undefined {
    const session = this.#sessions.get(id);
    return session?.lkc === lkc ? session : undefined;
  }

  /** A new, empty session for a request of `partitions` partitions; undefined when there is no room. */
  create(wish: {
    readonly lkc: LogicalClusterId;
    readonly byTopicId: boolean;
    readonly partitions: number;
    readonly nowMs: number;
  }): FetchSession | undefined {
    const { lkc, byTopicId, partitions, nowMs } = wish;
    this.#expire(nowMs);
    if (partitions > this.#limits.partitionsMax) return undefined;
    const tenantFull = (this.#countByTenant.get(lkc) ?? 0) >= this.#limits.sessionsPerTenantMax;
    if (tenantFull && !this.#evict(partitions, nowMs, lkc)) return undefined;
    while (
      this.#sessions.size >= this.#limits.sessionsMax ||
      this.#partitions + partitions > this.#limits.partitionsMax
    ) {
      if (!this.#evict(partitions, nowMs, undefined)) return undefined;
    }
    const id = this.#freeId();
    if (id === undefined) return undefined;
    const session = new FetchSession({ id, lkc, byTopicId, nowMs });
    this.#sessions.set(id, session);
    this.#countByTenant.set(lkc, (this.#countByTenant.get(lkc) ?? 0) + 1);
    return session;
  }

  /**
   * Changes a session's partitions and notes that it was used. Says false, and closes it, when it has grown beyond what
   * there is room for.
   */
  use(session: FetchSession, nowMs: number, change: () => void): boolean {
    const before = session.size;
    change();
    this.#partitions += session.size - before;
    session.lastUsedMs = nowMs;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    this.#expire(nowMs);
    if (this.#partitions <= this.#limits.partitionsMax) return true;
    this.close(session);
    return false;
  }

  close(session: FetchSession): void {
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    this.#partitions -= session.size;
    const left = (this.#countByTenant.get(session.lkc) ?? 1) - 1;
    if (left === 0) this.#countByTenant.delete(session.lkc);
    else this.#countByTenant.set(session.lkc, left);
    session.close();
  }

  /** A session whose client is gone would still be told of every change of its partitions. */
  #expire(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (nowMs - session.lastUsedMs <= this.#limits.evictionMs) return;
      if (session.round === undefined) this.close(session);
    }
  }

  /** Makes room by one session, of the tenant when one is given. */
  #evict(partitions: number, nowMs: number, lkc: LogicalClusterId | undefined): boolean {
    let smallest: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      if (lkc !== undefined && session.lkc !== lkc) continue;
      const settled = nowMs - session.createdMs > this.#limits.evictionMs;
      if (settled && session.size < (smallest?.size ?? partitions)) smallest = session;
    }
    if (smallest === undefined) return false;
    this.close(smallest);
    return true;
  }

  #freeId(): number | undefined {
    for (let tries = 0; tries < idTriesMax; tries += 1) {
      const id = 1 + Math.floor(this.#random.fraction() * sessionIdMax);
      if (!this.#sessions.has(id)) return id;
    }
    return undefined;
  }
}
