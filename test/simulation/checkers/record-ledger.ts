/**
 * What clients were told and what they saw, and the promises that must hold between the two. Knows nothing of brokers:
 * it judges only what a client can observe.
 *
 *   - a record has one place for ever: no two records at one offset, no record at two offsets (of one who never repeats
 *     itself, or is idempotent)
 *   - acknowledged is where it was acknowledged, until the end
 *   - an idempotent producer's records lie in the order in which it sent them
 *   - nothing is read that nobody sent
 *   - in a compacted log, of each key the newest record is there, or, when it is a tombstone, none at all
 */
export type RecordFate = "sent" | "acknowledged" | "failed" | "unknown";

export interface LedgerRecord {
  readonly id: string;
  readonly partition: string;
  readonly producer: string;
  /** The how-manieth of its producer in this partition. */
  readonly number: number;
  /** Acknowledged means that a quorum has it; else only that one broker wrote it. */
  readonly isQuorum: boolean;
  /** Of a record of a compacted topic. */
  readonly key?: string;
  readonly isTombstone?: boolean;
  readonly sentMs: number;
  fate: RecordFate;
  /** When the broker committed what it acknowledged. */
  committedMs: number | undefined;
  offset: number | undefined;
}

interface PartitionLedger {
  /** What is known to stand at an offset, committed. */
  readonly byOffset: Map<number, string>;
  /** Highest log start seen. */
  logStartOffset: number;
  /** Highest offset up to which a client asked to delete. */
  deletionAskedTo: number;
  /** Highest log start that a client was promised. */
  deletedTo: number;
  /** All of it may be gone: its only replica lost its disk, or the topic was deleted. */
  isForfeit: boolean;
  /** Before this time (and not long before) what was committed may have been lost. */
  lossMs: number;
  lossSinceMs: number;
  /** Lowest offset that the last loss may have touched. */
  riskFrom: number;
  /** When something was first seen after it: from then on replicas copy and sync what is left. */
  seenAfterLossMs: number | undefined;
}

export interface LedgerOptions {
  readonly nowMs: () => number;
  readonly violate: (message: string) => void;
}

export class RecordLedger {
  readonly #options: LedgerOptions;
  readonly #records = new Map<string, LedgerRecord>();
  readonly #partitions = new Map<string, PartitionLedger>();
  #acknowledged = 0;
  #lastAcknowledgedMs = new Map<string, number>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get acknowledgedCount(): number {
    return this.#acknowledged;
  }

  get sentCount(): number {
    return this.#records.size;
  }

  records(): Iterable<LedgerRecord> {
    return this.#records.values();
  }

  /** Time of the newest acknowledgement in a partition; undefined before the first. */
  lastAcknowledgedMs(partition: string): number | undefined {
    return this.#lastAcknowledgedMs.get(partition);
  }

  sent(record: Omit<LedgerRecord, "sentMs" | "fate" | "committedMs" | "offset">): void {
    this.#records.set(record.id, {
      ...record,
      sentMs: this.#options.nowMs(),
      fate: "sent",
      committedMs: undefined,
      offset: undefined,
    });
  }

  /** `committedMs`: when the broker took them for committed; the answer may come much later. */
  acknowledged(ids: readonly string[], baseOffset: number, committedMs: number): void {
    for (const [index, id] of ids.entries()) {
      const record = this.#find(id);
      record.committedMs = committedMs;
      this.#acknowledged += 1;
      this.#lastAcknowledgedMs.set(record.partition, this.#options.nowMs());
      if (this.#mayBeLost(record.partition, committedMs)) {
        record.fate = "unknown";
        continue;
      }
      record.fate = "acknowledged";
      if (record.isQuorum) this.#place(record, baseOffset + index, "acknowledged");
    }
  }

  ended(ids: readonly string[], fate: "failed" | "unknown"): void {
    for (const id of ids) this.#find(id).fate = fate;
  }

  /** A client read this below the high watermark; the broker served it at `servedMs`. */
  observed(
    partition: string,
    offset: number,
    id: string,
    read: { readonly by: string; readonly servedMs: number },
  ): void {
    const record = this.#records.get(id);
    if (record === undefined || record.partition !== partition) {
      this.#violate(`${read.by} read ${id} at ${partition}@${offset}, which nobody sent there`);
      return;
    }
    // An old answer that comes after the loss says nothing of what is there now.
    if (read.servedMs > this.#of(partition).lossMs) this.#place(record, offset, `read by ${read.by}`);
  }

  /** Was this served before a loss that is known by now? */
  isOutdated(partition: string, servedMs: number): boolean {
    return servedMs <= this.#of(partition).lossMs;
  }

  /** A client is about to ask for the deletion of what is below. */
  deletionAsked(partition: string, offset: number): void {
    const known = this.#of(partition);
    known.deletionAskedTo = Math.max(known.deletionAskedTo, offset);
  }

  deletionAcknowledged(partition: string, lowWatermark: number): void {
    const known = this.#of(partition);
    known.deletedTo = Math.max(known.deletedTo, lowWatermark);
    this.logStartSeen(partition, lowWatermark, false);
  }

  /** `isFresh`: asked for after every acknowledgement of a deletion that came before. */
  logStartSeen(partition: string, offset: number, isFresh: boolean): void {
    const known = this.#of(partition);
    if (known.isForfeit) return;
    if (offset > known.deletionAskedTo) {
      this.#violate(
        `the log start of ${partition} is ${offset}, but deletion was asked up to ${known.deletionAskedTo}`,
      );
    }
    if (isFresh && offset < known.deletedTo) {
      this.#violate(`the log start of ${partition} is ${offset}, but all below ${known.deletedTo} was deleted`);
    }
    known.logStartOffset = Math.max(known.logStartOffset, offset);
  }

  /** Log start that every leader must have reached by now. */
  deletedTo(partition: string): number {
    return this.#of(partition).deletedTo;
  }

  logStartOf(partition: string): number {
    return this.#of(partition).logStartOffset;
  }

  /** Nothing is promised about this partition any more. */
  forfeit(partition: string): void {
    this.#of(partition).isForfeit = true;
  }

  isForfeit(partition: string): boolean {
    return this.#of(partition).isForfeit;
  }

  /**
   * No quorum of the partition's replicas kept what it had in its page cache: what was committed (or read for the first
   * time) since `sinceMs` may be gone, and its offsets given anew.
   */
  permitLoss(partition: string, sinceMs: number): void {
    const known = this.#of(partition);
    // What one replica saved over the last loss was perhaps copied to the others just now, and not synced there.
    const isRepeated = known.seenAfterLossMs === undefined || sinceMs <= known.seenAfterLossMs;
    let lowest = isRepeated ? known.riskFrom : Number.POSITIVE_INFINITY;
    // Losses one after the other make one window.
    known.lossSinceMs = sinceMs <= known.lossMs ? Math.min(known.lossSinceMs, sinceMs) : sinceMs;
    known.lossMs = this.#options.nowMs();
    for (const record of this.#records.values()) {
      if (record.partition !== partition || record.offset === undefined) continue;
      if ((record.committedMs ?? record.sentMs) >= sinceMs) lowest = Math.min(lowest, record.offset);
    }
    known.riskFrom = lowest;
    known.seenAfterLossMs = undefined;
    for (const [offset, id] of known.byOffset) {
      if (offset < lowest) continue;
      known.byOffset.delete(offset);
      const record = this.#find(id);
      record.offset = undefined;
      if (record.fate === "acknowledged") record.fate = "unknown";
    }
  }

  #mayBeLost(partition: string, committedMs: number): boolean {
    const { lossMs, lossSinceMs } = this.#of(partition);
    return committedMs >= lossSinceMs && committedMs <= lossMs;
  }

  /** Where the highest place known to be committed ends. */
  knownEnd(partition: string): number {
    let end = 0;
    for (const offset of this.#of(partition).byOffset.keys()) end = Math.max(end, offset + 1);
    return end;
  }

  /** Judges the whole committed log of a partition, as read at the end from its log start. */
  judgeFinalLog(
    partition: string,
    log: readonly { readonly offset: number; readonly id: string }[],
    isCompacted = false,
  ): void {
    const known = this.#of(partition);
    if (known.isForfeit) return;
    const servedMs = this.#options.nowMs();
    for (const { offset, id } of log) this.observed(partition, offset, id, { by: "the final reader", servedMs });
    const present = new Map(log.map(({ offset, id }) => [offset, id]));
    const expected = isCompacted ? this.#judgeKeys(partition, present) : known.byOffset;
    for (const [offset, id] of expected) {
      if (offset < known.logStartOffset || present.get(offset) === id) continue;
      const { fate } = this.#find(id);
      this.#violate(`${id} (${fate}) of ${partition}@${offset} is lost: ${present.get(offset) ?? "nothing"} is there`);
    }
    this.#judgeOrder(partition, log);
  }

  /** What of a compacted log must be there: of each key its newest record, but for tombstones that may have gone. */
  #judgeKeys(partition: string, present: ReadonlyMap<number, string>): ReadonlyMap<number, string> {
    const newest = new Map<string, readonly [offset: number, id: string]>();
    const last = new Map<string, readonly [offset: number, id: string]>();
    const keyOf = (id: string): string => this.#find(id).key ?? "";
    for (const [offset, id] of this.#of(partition).byOffset) {
      if (offset > (newest.get(keyOf(id))?.[0] ?? -1)) newest.set(keyOf(id), [offset, id]);
    }
    for (const [offset, id] of present) last.set(keyOf(id), [offset, id]);
    const expected = new Map<number, string>();
    for (const [key, [offset, id]] of newest) {
      const left = last.get(key);
      if (this.#find(id).isTombstone !== true) expected.set(offset, id);
      else if (left !== undefined && left[0] !== offset) {
        this.#violate(`${key} was deleted by ${id} at ${partition}@${offset}, but ${left[1]}@${left[0]} is there`);
      }
    }
    return expected;
  }

  #judgeOrder(partition: string, log: readonly { readonly offset: number; readonly id: string }[]): void {
    const last = new Map<string, LedgerRecord>();
    for (const { id } of log) {
      const record = this.#records.get(id);
      if (record === undefined) continue;
      const before = last.get(record.producer);
      if (before !== undefined && before.number >= record.number) {
        this.#violate(`${record.id} comes after ${before.id} in ${partition}, but was sent before`);
      }
      last.set(record.producer, record);
    }
  }

  #place(record: LedgerRecord, offset: number, how: string): void {
    const known = this.#of(record.partition);
    if (known.isForfeit) return;
    const there = known.byOffset.get(offset);
    if (there !== undefined && there !== record.id) {
      this.#violate(`${record.partition}@${offset} holds ${there}, but ${record.id} was ${how} there`);
      return;
    }
    if (record.offset !== undefined && record.offset !== offset) {
      this.#violate(`${record.id} was at ${record.partition}@${record.offset} and now ${how} at ${offset}`);
      return;
    }
    known.byOffset.set(offset, record.id);
    known.seenAfterLossMs ??= this.#options.nowMs();
    record.offset = offset;
  }

  #find(id: string): LedgerRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error(`no client of this run sent ${id}`);
    return record;
  }

  #of(partition: string): PartitionLedger {
    let known = this.#partitions.get(partition);
    if (known === undefined) {
      known = {
        byOffset: new Map(),
        logStartOffset: 0,
        deletionAskedTo: 0,
        deletedTo: 0,
        isForfeit: false,
        lossMs: -1,
        lossSinceMs: 0,
        riskFrom: Number.POSITIVE_INFINITY,
        seenAfterLossMs: undefined,
      };
      this.#partitions.set(partition, known);
    }
    return known;
  }

  #violate(message: string): void {
    this.#options.violate(message);
  }
}
