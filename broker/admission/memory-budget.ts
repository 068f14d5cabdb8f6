import { strict as assert } from "node:assert";

/** Takes back a wish that was not granted yet; after the grant it does nothing. */
export type WithdrawWish = () => void;

interface Waiter {
  readonly bytes: number;
  readonly sinceMs: number;
  granted: (() => void) | undefined;
}

/** Withdrawn waiters left in the middle of the queue before they are swept out. */
const withdrawnWaitersMax = 64;

/**
 * Counts the bytes that connections hold for requests and responses, and makes them take turns when there are too
 * many. Who does not get bytes at once stands in a queue and is served in order of arrival, whatever the size: a small
 * wish never overtakes a large one, so nobody waits for ever.
 *
 * Large frames ask first (`request`), before their memory is made. What exists already (small frames that came with
 * the last read, responses) is only counted (`take`) and may exceed the maximum by what one read of each connection
 * can bring; then everybody waits until it has gone down again.
 *
 * A wish larger than what is left waits; one larger than the maximum is a bug of the caller. Grants come from inside
 * `release` and must be cheap.
 */
export class MemoryBudget {
  readonly bytesMax: number;
  readonly #nowMs: () => number;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];
  #withdrawn = 0;

  constructor(bytesMax: number, nowMs: () => number) {
    this.bytesMax = bytesMax;
    this.#nowMs = nowMs;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes that could be granted now. */
  get freeBytes(): number {
    return Math.max(0, this.bytesMax - this.#usedBytes);
  }

  /** Nobody may start anything new: the maximum is reached, or others stand in the queue. */
  get exhausted(): boolean {
    return this.#usedBytes >= this.bytesMax || this.#firstWaiter() !== undefined;
  }

  get waiting(): number {
    return this.#waiters.length - this.#withdrawn;
  }

  /** How long the first in the queue has waited, in milliseconds; 0 when nobody waits. */
  get longestWaitMs(): number {
    const first = this.#firstWaiter();
    return first === undefined ? 0 : this.#nowMs() - first.sinceMs;
  }

  /** Counts bytes that are held already. */
  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Gives back bytes that were taken or granted, and serves the queue. */
  release(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#usedBytes, "more bytes released than were taken");
    this.#usedBytes -= bytes;
    this.#grant();
  }

  /**
   * Takes the bytes and returns undefined when they are there and nobody waits. Otherwise queues: `granted` is called
   * once, when the bytes have been taken for the caller; the returned function withdraws the wish.
   * A wish for 0 bytes waits until the budget is no longer exhausted.
   */
  request(bytes: number, granted: () => void): WithdrawWish | undefined {
    assert(bytes >= 0 && bytes <= this.bytesMax, "a wish above the whole budget can never be granted");
    if (!this.exhausted && this.#fits(bytes)) {
      this.#usedBytes += bytes;
      return undefined;
    }
    const waiter: Waiter = { bytes, sinceMs: this.#nowMs(), granted };
    this.#waiters.push(waiter);
    return () => this.#withdraw(waiter);
  }

  #fits(bytes: number): boolean {
    return bytes === 0 ? this.#usedBytes < this.bytesMax : this.#usedBytes + bytes <= this.bytesMax;
  }

  #firstWaiter(): Waiter | undefined {
    while (this.#waiters.length > 0 && this.#waiters[0]?.granted === undefined) {
      this.#waiters.shift();
      this.#withdrawn -= 1;
    }
    return this.#waiters[0];
  }

  #grant(): void {
    for (let first = this.#firstWaiter(); first !== undefined; first = this.#firstWaiter()) {
      if (!this.#fits(first.bytes)) return;
      this.#waiters.shift();
      this.#usedBytes += first.bytes;
      const { granted } = first;
      first.granted = undefined;
      granted?.();
    }
  }

  #withdraw(waiter: Waiter): void {
    if (waiter.granted === undefined) return;
    waiter.granted = undefined;
    this.#withdrawn += 1;
    if (this.#withdrawn > withdrawnWaitersMax) this.#sweep();
    // The one withdrawn may have been what the others waited for.
    this.#grant();
  }

  #sweep(): void {
    const kept = this.#waiters.filter(({ granted }) => granted !== undefined);
    this.#waiters.length = 0;
    this.#waiters.push(...kept);
    this.#withdrawn = 0;
  }
}
