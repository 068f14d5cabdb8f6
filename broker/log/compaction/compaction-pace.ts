/** How fast compaction goes: in slices between which the event loop runs, and never faster than the broker's budget. */
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Timers } from "../../../shared/ports/timers.ts";
import { budgetBurstMs, pauseMsMax, sliceBytesMax, sliceMsMax } from "./limits.ts";

/** Bytes that compaction reads and writes, over all logs of a broker. */
export class IoBudget {
  bytesRead = 0;
  bytesWritten = 0;
  /** When all that was moved so far is paid for, on the monotonic clock; what was not used is kept for `budgetBurstMs`. */
  #paidMs = Number.NEGATIVE_INFINITY;

  /** Counts what was moved; answers for how long to move nothing more, which may be negative. */
  moved(bytes: number, bytesPerSecond: number, nowMs: number): number {
    this.#paidMs = Math.max(this.#paidMs, nowMs - budgetBurstMs) + (bytes / bytesPerSecond) * 1_000;
    return this.#paidMs - nowMs;
  }
}

export interface PaceOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly budget: IoBudget;
  readonly bytesPerSecond: () => number;
}

/** The pace of one run over one log. */
export class CompactionPace {
  readonly #options: PaceOptions;
  readonly #mayGoOn: () => boolean;
  #sliceBytes = 0;
  #sliceStartMs: number;

  constructor(options: PaceOptions, mayGoOn: () => boolean) {
    this.#options = options;
    this.#mayGoOn = mayGoOn;
    this.#sliceStartMs = options.clock.monotonicMs();
  }

  /** The run is to end as it is: ask after everything that is waited for. */
  get isStopped(): boolean {
    return !this.#mayGoOn();
  }

  read(bytes: number): Promise<void> {
    this.#options.budget.bytesRead += bytes;
    return this.#pay(bytes);
  }

  written(bytes: number): Promise<void> {
    this.#options.budget.bytesWritten += bytes;
    return this.#pay(bytes);
  }

  /** Work on so many bytes in memory is done; true when it is time to `giveWay`. */
  isSliceOver(bytes: number): boolean {
    this.#sliceBytes += bytes;
    const startedMs = this.#sliceStartMs;
    return this.#sliceBytes >= sliceBytesMax || this.#options.clock.monotonicMs() - startedMs >= sliceMsMax;
  }

  /** Lets the event loop run. */
  async giveWay(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.timers.afterTurn(resolve));
    this.#beginSlice();
  }

  async #pay(bytes: number): Promise<void> {
    const { clock, timers, budget, bytesPerSecond } = this.#options;
    const untilMs = clock.monotonicMs() + budget.moved(bytes, bytesPerSecond(), clock.monotonicMs());
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      // A timer of less than a millisecond lasts one: what is less is paid with the next.
      if (leftMs < 1 || this.isStopped) break;
      await new Promise<void>((resolve) => timers.after(Math.min(leftMs, pauseMsMax), resolve));
    }
    this.#beginSlice();
  }

  #beginSlice(): void {
    this.#sliceBytes = 0;
    this.#sliceStartMs = this.#options.clock.monotonicMs();
  }
}
