import type { RecordLedger } from "./record-ledger.ts";

/** After the last fault healed every partition must take quorum writes again within this simulated time. */
export const writableAgainMsMax = 10_000;
/**
 * While only the store is away no partition may be without an acknowledgement for longer than this: a hand-over of
 * leadership that had just begun holds a leader up for two seconds.
 */
export const storeAwayGapMsMax = 3_000;

/** Judges whether writes go on when they must. The workload offers records to every partition all the time. */
export class ProgressChecker {
  readonly #ledger: RecordLedger;
  readonly #violate: (message: string) => void;

  constructor(ledger: RecordLedger, violate: (message: string) => void) {
    this.#ledger = ledger;
    this.#violate = violate;
  }

  /** To be asked `writableAgainMsMax` after everything healed. */
  writableSince(partitions: readonly string[], healedMs: number): void {
    for (const partition of partitions) {
      const last = this.#ledger.lastAcknowledgedMs(partition);
      if (last === undefined || last < healedMs) {
        this.#violate(`${partition} took no write for ${writableAgainMsMax} ms after everything healed`);
      }
    }
  }

  /** To be asked again and again while nothing but the store is away. */
  goesOn(partitions: readonly string[], nowMs: number, awaySinceMs: number): void {
    for (const partition of partitions) {
      const last = this.#ledger.lastAcknowledgedMs(partition) ?? awaySinceMs;
      if (nowMs - Math.max(last, awaySinceMs) > storeAwayGapMsMax) {
        this.#violate(`${partition} took no write since ${last} ms although only the store is away`);
      }
    }
  }
}
