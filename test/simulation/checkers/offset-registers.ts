/**
 * Committed offsets as registers: what OffsetFetch answers for one (tenant, group, topic, partition) can be explained by one
 * order of all commits, deletions and reads that agrees with real time, each commit in it once or, when its client got no
 * answer, once or never. Every commit has an id of its own (in its metadata), so the test is Gibbons' and Korach's: the ops
 * that speak of one value make a cluster; of two clusters one must come wholly before the other.
 *
 * A leader serves reads by a lease (docs/adr/0006), so a read counts as begun that much earlier. Offsets also go by
 * themselves: a deletion that nobody sent, but not before the offset's time was over (`offset-lifetimes.ts`).
 */

export interface RegisterOp {
  readonly key: string;
  /** Undefined: a deletion. */
  readonly id: string | undefined;
  readonly startMs: number;
}

interface Cluster extends RegisterOp {
  /** When the commit or deletion was answered; infinity while, or since, that is unknown. */
  endMs: number;
  /** Earliest end and latest start of any of its ops. */
  firstEndMs: number;
  lastStartMs: number;
  /** Refused: it must never be seen. */
  isRefused: boolean;
}

interface Register {
  readonly clusters: Cluster[];
  readonly byId: Map<string, Cluster>;
  /** Answers of before are about what may be lost. */
  lossMs: number;
}

export interface OffsetReading {
  readonly key: string;
  /** Undefined: nothing is committed. */
  readonly id: string | undefined;
  readonly startMs: number;
  readonly servedMs: number;
  readonly by: string;
}

export class OffsetRegisters {
  readonly #registers = new Map<string, Register>();
  readonly #nowMs: () => number;
  readonly #violate: (message: string) => void;
  readonly #leaseMs: number;
  readonly #dueMs: (key: string, committedMs: number) => number;
  readonly #onExpired: (key: string) => void;
  /** What was read last of each key, and when. */
  readonly #lastReads = new Map<string, { readonly id: string | undefined; readonly startMs: number }>();
  /** Reads that found a commit. */
  readings = 0;

  constructor(options: {
    readonly nowMs: () => number;
    readonly violate: (message: string) => void;
    /** How old a read may be. */
    readonly leaseMs: number;
    /** Since when an offset that was committed then may be gone by itself; infinite while it may not. */
    readonly dueMs?: (key: string, committedMs: number) => number;
    /** A read found an offset gone, and nobody had deleted it. */
    readonly onExpired?: (key: string) => void;
  }) {
    this.#nowMs = options.nowMs;
    this.#violate = options.violate;
    this.#leaseMs = options.leaseMs;
    this.#dueMs = options.dueMs ?? (() => Number.POSITIVE_INFINITY);
    this.#onExpired = options.onExpired ?? (() => undefined);
  }

  keys(): Iterable<string> {
    return this.#registers.keys();
  }

  /** A commit (or, without id, a deletion) is about to be sent. */
  sent(key: string, id: string | undefined): RegisterOp {
    const op = open(key, id, this.#nowMs());
    const register = this.#of(key);
    register.clusters.push(op);
    if (id !== undefined) register.byId.set(id, op);
    return op;
  }

  acknowledged(op: RegisterOp, servedMs: number): void {
    const register = this.#of(op.key);
    const cluster = op as Cluster;
    if (servedMs <= register.lossMs) return;
    cluster.endMs = this.#nowMs();
    cluster.firstEndMs = Math.min(cluster.firstEndMs, cluster.endMs);
    this.#check(register, cluster, "acknowledged");
  }

  /** It was not done and never will be. */
  refused(op: RegisterOp): void {
    const cluster = op as Cluster;
    cluster.isRefused = true;
    const { clusters } = this.#of(op.key);
    const index = clusters.indexOf(cluster);
    if (index >= 0) clusters.splice(index, 1);
  }

  read({ key, id, startMs, servedMs, by }: OffsetReading): void {
    const register = this.#of(key);
    this.#lastReads.set(key, { id, startMs });
    if (servedMs <= register.lossMs) return;
    const begunMs = startMs - this.#leaseMs;
    if (id === undefined) {
      this.#readNothing(register, { key, begunMs, by });
      return;
    }
    this.readings += 1;
    const cluster = register.byId.get(id);
    if (cluster === undefined || cluster.isRefused) {
      const why = cluster === undefined ? "which nobody committed there" : "a commit that was refused";
      this.#violate(`${by} read ${id} as the offset of ${key}, ${why}`);
      return;
    }
    this.#addRead(register, cluster, begunMs, by);
  }

  /** Keys that were read since, with an offset although none was sent to be committed after `committedMs`. */
  *stillCommitted(sinceMs: number, committedMs: (key: string) => number): Generator<string> {
    for (const [key, { id, startMs }] of this.#lastReads) {
      if (id === undefined || startMs < sinceMs) continue;
      const { clusters } = this.#of(key);
      if (clusters.every((commit) => commit.id === undefined || commit.startMs <= committedMs(key))) yield key;
    }
  }

  /** The internal partition may have lost its end: of what was committed any may be what is left, or nothing. */
  permitLoss(isTouched: (key: string) => boolean): void {
    for (const [key, register] of this.#registers) {
      if (!isTouched(key)) continue;
      register.lossMs = this.#nowMs();
      const known = register.clusters.filter(({ id }) => id !== undefined);
      register.clusters.length = 0;
      register.clusters.push(open(key, undefined, Number.NEGATIVE_INFINITY));
      for (const cluster of known) {
        cluster.endMs = cluster.firstEndMs = Number.POSITIVE_INFINITY;
        cluster.lastStartMs = Number.NEGATIVE_INFINITY;
        register.clusters.push(cluster);
      }
    }
  }

  #readNothing(
    register: Register,
    { key, begunMs, by }: { readonly key: string; readonly begunMs: number; readonly by: string },
  ): void {
    const readBefore = register.clusters.filter(({ id, firstEndMs }) => id !== undefined && firstEndMs < begunMs);
    if (readBefore.length === 0) return;
    const sources = register.clusters.filter(
      (deletion) =>
        deletion.id === undefined && readBefore.every((commit) => !(deletion.firstEndMs < commit.lastStartMs)),
    );
    const dueMs = this.#dueMs(key, Math.max(...readBefore.map((commit) => commit.startMs)));
    const mayBeExpired = dueMs <= this.#nowMs();
    // With more than one explanation none is taken for the right one.
    if (mayBeExpired && sources.length > 0) return;
    if (mayBeExpired) {
      const expiry = open(key, undefined, dueMs);
      register.clusters.push(expiry);
      sources.push(expiry);
      this.#onExpired(key);
    }
    const [source] = sources;
    if (source === undefined) {
      const ids = readBefore.slice(-3).map((commit) => describe(commit));
      this.#violate(`${by} found nothing committed for ${key}, but there was ${ids.join("; ")}`);
    } else if (sources.length === 1) this.#addRead(register, source, begunMs, by);
  }

  #addRead(register: Register, cluster: Cluster, begunMs: number, by: string): void {
    cluster.firstEndMs = Math.min(cluster.firstEndMs, this.#nowMs());
    cluster.lastStartMs = Math.max(cluster.lastStartMs, begunMs);
    this.#check(register, cluster, `read by ${by}`);
  }

  #check(register: Register, cluster: Cluster, how: string): void {
    const other = register.clusters.find((one) => one !== cluster && interleave(one, cluster));
    if (other === undefined) return;
    this.#violate(`${cluster.key}: ${describe(cluster)} was ${how}, but between came ${describe(other)}`);
  }

  #of(key: string): Register {
    let register = this.#registers.get(key);
    if (register === undefined) {
      register = { clusters: [], byId: new Map(), lossMs: Number.NEGATIVE_INFINITY };
      this.#registers.set(key, register);
    }
    return register;
  }
}

function open(key: string, id: string | undefined, startMs: number): Cluster {
  const never = Number.POSITIVE_INFINITY;
  return { key, id, startMs, endMs: never, firstEndMs: never, lastStartMs: startMs, isRefused: false };
}

/** Something of each must come before something of the other. */
function interleave(one: Cluster, other: Cluster): boolean {
  return one.firstEndMs < other.lastStartMs && other.firstEndMs < one.lastStartMs;
}

function describe({ id, startMs, endMs, firstEndMs, lastStartMs }: Cluster): string {
  const times = [startMs, endMs, firstEndMs, lastStartMs].map((ms) => ms.toFixed(1));
  return `${id ?? "a deletion"} (sent ${times[0]}, answered ${times[1]}, first known ${times[2]}, last known ${times[3]})`;
}
