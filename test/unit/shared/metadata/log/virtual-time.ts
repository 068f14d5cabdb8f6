import type { Clock } from "../../../../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../../../../shared/ports/timers.ts";

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** Turns of promises that are let through before time moves on: more than any chain of awaits between two timers. */
const settleTurns = 50;

/** Time that moves only when everything that could happen at this moment has happened. */
export class VirtualTime implements Clock, Timers {
  #nowMs = 0;
  readonly #drains: boolean;
  readonly #due = new Set<Due>();

  /** `drains`: lets chains of promises of any length run out, at the price of a turn of the event loop each time. */
  constructor(drains = false) {
    this.#drains = drains;
  }

  wallMs(): number {
    return 1_700_000_000_000 + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): CancelTimer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), run };
    this.#due.add(due);
    return () => this.#due.delete(due);
  }

  afterTurn(run: () => void): void {
    this.after(0, run);
  }

  /** Lets time pass until the promise settles; throws when it does not within `limitMs` of virtual time. */
  async until<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await this.#settle();
      if (settled) {
        return promise;
      }
      if (!this.#step(endMs)) {
        throw new Error(`nothing settled the promise within ${limitMs} ms of virtual time`);
      }
    }
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await this.#settle();
      if (!this.#step(endMs)) {
        break;
      }
    }
    this.#nowMs = endMs;
  }

  /** Runs the earliest timer that is due until then; false when there is none. */
  #step(endMs: number): boolean {
    let next: Due | undefined;
    for (const due of this.#due) {
      if (due.atMs <= endMs && (next === undefined || due.atMs < next.atMs)) {
        next = due;
      }
    }
    if (next === undefined) {
      return false;
    }
    this.#due.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.run();
    return true;
  }

  async #settle(): Promise<void> {
    if (this.#drains) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      return;
    }
    for (let turn = 0; turn < settleTurns; turn++) {
      await Promise.resolve();
    }
  }
}
