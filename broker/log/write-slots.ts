/**
 * Bounds the writes that all logs of a broker have in flight. A log that waits for its turn gathers what comes meanwhile
 * into one write; and when a disk stops, its writes hold no more than so many threads of the process's pool (docs/adr/0003,
 * rule 2).
 */
export class WriteSlots {
  readonly #unwrittenBytesMax: number;
  #unwrittenBytes = 0;
  #free: number;
  /** First come, first served. */
  readonly #waiting = new Set<() => void>();

  constructor(slots: number, unwrittenBytesMax: number) {
    this.#free = slots;
    this.#unwrittenBytesMax = unwrittenBytesMax;
  }

  /** The disk does not keep up: more is waiting for it than may be held in memory. */
  get areBehind(): boolean {
    return this.#unwrittenBytes > this.#unwrittenBytesMax;
  }

  /** Bytes that were handed to a log and are not written, of all logs. */
  countUnwritten(change: number): void {
    this.#unwrittenBytes += change;
  }

  /** Calls `begin` when it may write: now, or when somebody gave a slot back. Whoever begins gives back once. */
  take(begin: () => void): void {
    if (this.#free === 0) {
      this.#waiting.add(begin);
      return;
    }
    this.#free -= 1;
    begin();
  }

  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** Waits no more. False when it did not wait: it holds a slot, or wants none. */
  withdraw(begin: () => void): boolean {
    return this.#waiting.delete(begin);
  }
}
