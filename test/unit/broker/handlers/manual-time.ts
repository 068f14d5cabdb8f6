import type { Clock } from "../../../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../../../shared/ports/timers.ts";

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that moves only when a test says so. */
export class ManualTime implements Clock, Timers {
  #nowMs = 1_000;
  #timers: Timer[] = [];

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  afterTurn(run: () => void): void {
    setImmediate(run);
  }

  /** Timers that have been set and neither ran nor were cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on, runs what is due, and lets what that caused happen. */
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { run } of due) run();
    await this.settle();
  }

  /** Lets everything happen that needs no more time. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
