import type { CancelTimer, Timers } from "../../ports/timers.ts";
import type { MetadataSeq } from "../records/record.ts";
import { waitersMax } from "./limits.ts";

export type WaitResult = "reached" | "timed-out" | "stopped" | "overloaded";

interface Waiter {
  readonly seq: MetadataSeq;
  readonly resolve: (result: WaitResult) => void;
  readonly cancel: CancelTimer;
}

/** Callers that wait until the image holds an entry. */
export class SeqWaiters {
  readonly #timers: Timers;
  readonly #waiters = new Set<Waiter>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(seq: MetadataSeq, timeoutMs: number): Promise<WaitResult> {
    if (this.#waiters.size >= waitersMax) {
      return Promise.resolve("overloaded");
    }
    return new Promise((resolve) => {
      const cancel = this.#timers.after(timeoutMs, () => this.#settle(waiter, "timed-out"));
      const waiter: Waiter = { seq, resolve, cancel };
      this.#waiters.add(waiter);
    });
  }

  reached(seq: MetadataSeq): void {
    for (const waiter of this.#waiters) {
      if (waiter.seq <= seq) {
        this.#settle(waiter, "reached");
      }
    }
  }

  stop(): void {
    for (const waiter of this.#waiters) {
      this.#settle(waiter, "stopped");
    }
  }

  #settle(waiter: Waiter, result: WaitResult): void {
    if (this.#waiters.delete(waiter)) {
      waiter.cancel();
      waiter.resolve(result);
    }
  }
}
