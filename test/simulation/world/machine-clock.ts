import type { Clock } from "../../../shared/ports/clock.ts";

/** The wall time at which every simulation starts. */
export const epochWallMs = Date.UTC(2026, 0, 1);

/**
 * The clocks of one machine. The monotonic one runs a little too fast or too slow and starts anywhere; the wall clock
 * has an error and jumps. Both go on while a process is paused, and the wall clock also while the machine is off.
 */
export class MachineClock implements Clock {
  readonly #nowMs: () => number;
  /** Machine milliseconds per simulated millisecond. */
  readonly rate: number;
  readonly #monotonicOriginMs: number;
  #wallErrorMs: number;

  constructor(options: {
    readonly nowMs: () => number;
    readonly rate: number;
    readonly monotonicOriginMs: number;
    readonly wallErrorMs: number;
  }) {
    this.#nowMs = options.nowMs;
    this.rate = options.rate;
    this.#monotonicOriginMs = options.monotonicOriginMs;
    this.#wallErrorMs = options.wallErrorMs;
  }

  wallMs(): number {
    return Math.floor(epochWallMs + this.#wallErrorMs + this.#nowMs() * this.rate);
  }

  monotonicMs(): number {
    return this.#monotonicOriginMs + this.#nowMs() * this.rate;
  }

  jumpWall(byMs: number): void {
    this.#wallErrorMs += byMs;
  }
}
