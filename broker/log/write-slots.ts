import type { Clock } from "../../shared/ports/clock.ts";
import { type Obstacle, OpenObstacle } from "./obstacle.ts";

/**
 * Bounds the writes that all logs of a broker have in flight. A log that waits for its turn gathers what comes meanwhile
 * into one write; and when a disk stops, its writes hold no more than so many threads of the process's pool (docs/adr/0003,
 * rule 2).
 */
export class WriteSlots {
  readonly #clock: Clock;
  readonly #unwrittenBytesMax: number;
  #unwrittenBytes = 0;
  #lag: OpenObstacle | undefined;
  /** Of the last write that ended while the disk lagged. */
  #progressMs = 0;
  #free: number;
  /** First come, first served. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, limits: { readonly slots: number; readonly unwrittenBytesMax: number }) {
    this.#clock = clock;
    this.#free = limits.slots;
    this.#unwrittenBytesMax = limits.unwrittenBytesMax;
  }

  /**
   * There while the disk does not keep up: from when more waits for it than memory should hold, of all logs, until half
   * of that is written. So records are not refused and taken in turn, which would change their order.
   */
  get lag(): Obstacle | undefined {
    return this.#lag;
  }

  /** Monotonic time since when a disk that lags has ended no write; undefined when it keeps up. */
  get standsStillSinceMs(): number | undefined {
    return this.#lag === undefined ? undefined : this.#progressMs;
  }

  /** Bytes that were handed to a log and are not written. */
  countUnwritten(change: number): void {
    this.#unwrittenBytes += change;
    const lag = this.#lag;
    if (lag === undefined) {
      if (this.#unwrittenBytes <= this.#unwrittenBytesMax) return;
      this.#progressMs = this.#clock.monotonicMs();
      this.#lag = new OpenObstacle(this.#progressMs);
    } else if (2 * this.#unwrittenBytes <= this.#unwrittenBytesMax) {
      this.#lag = undefined;
      lag.settle();
    }
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
    if (this.#lag !== undefined) this.#progressMs = this.#clock.monotonicMs();
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
