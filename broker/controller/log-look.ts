import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { logLookIntervalMs, logLookMsMax } from "./limits.ts";

/**
 * What was made a moment ago (an API key, a topic) may be in the metadata log and not yet in this broker's image: before
 * a client that names it is refused, the log is looked at. All who ask at the same time share one look, and there is a
 * pause between two, so that made-up names cost one read of the store each interval, whatever their number.
 */
export class LogLook {
  readonly #refresh: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #lastMs = Number.NEGATIVE_INFINITY;
  #planned: Promise<void> | undefined;

  /** `refresh` resolves when the image holds all that was appended before the call, or could not be brought there. */
  constructor(refresh: () => Promise<unknown>, clock: Clock, timers: Timers) {
    this.#refresh = refresh;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Resolves when a look that began after the call is over, or after a bounded wait: the store may be away. */
  look(): Promise<void> {
    this.#planned ??= this.#plan();
    return this.#planned;
  }

  async #plan(): Promise<void> {
    // One turn of promises: those who ask together share the look, and `#planned` is set before it is taken away below.
    await Promise.resolve();
    const waitMs = this.#lastMs + logLookIntervalMs - this.#clock.monotonicMs();
    if (waitMs > 0) await new Promise<void>((resolve) => this.#timers.after(waitMs, resolve));
    this.#lastMs = this.#clock.monotonicMs();
    // Who asks from here on may want what is appended after this look began.
    this.#planned = undefined;
    await new Promise<void>((resolve) => {
      const cancel = this.#timers.after(logLookMsMax, resolve);
      const settle = () => {
        cancel();
        resolve();
      };
      this.#refresh().then(settle, settle);
    });
  }
}
