import type { Clock } from "../../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../../shared/ports/timers.ts";

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that moves by command; one for all brokers, with a view for each run of a broker that ends with it. */
export class ScenarioTime implements Clock {
  #nowMs = 0;
  #timers: Timer[] = [];
  #turn: (() => void)[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Timers of one process; none of them fires once it is dead. */
  timersOf(isDead: () => boolean): Timers {
    const guarded = (run: () => void) => () => {
      if (!isDead()) run();
    };
    return {
      after: (ms, run) => this.#after(ms, guarded(run)),
      afterTurn: (run) => void this.#turn.push(guarded(run)),
    };
  }

  #after(ms: number, run: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers fire in order, and all that each one causes happens before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await this.settle();
    }
    this.#nowMs = untilMs;
    await this.settle();
  }

  /** Everything happens that needs neither time nor a message. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (this.#turn.length === 0) continue;
      quiet = -1;
      for (const run of this.#turn.splice(0)) run();
    }
  }
}
