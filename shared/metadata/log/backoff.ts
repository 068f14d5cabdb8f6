import type { Random } from "../../ports/random.ts";
import type { Timers } from "../../ports/timers.ts";
import { backoffFirstMs, backoffMaxMs } from "./limits.ts";

/** Waits before attempts that follow a failed one: exponential, with full jitter, bounded. */
export class Backoff {
  readonly #timers: Timers;
  readonly #random: Random;

  constructor(timers: Timers, random: Random) {
    this.#timers = timers;
    this.#random = random;
  }

  /** Resolves when attempt `attempt` (0: the first, at once) may start. */
  async before(attempt: number): Promise<void> {
    if (attempt === 0) {
      return;
    }
    const ceiling = Math.min(backoffMaxMs, backoffFirstMs * 2 ** (attempt - 1));
    const wait = ceiling * this.#random.fraction();
    await new Promise<void>((resolve) => this.#timers.after(wait, resolve));
  }
}
