import type { Withdraw } from "./partition-contract.ts";

/** A leadership that this broker was given and has not begun: its log is being opened, or its promise written. */
export interface Appointment {
  /** Monotonic time since when it is known here. */
  readonly sinceMs: number;
  /** Calls back once, when the leadership began or will not begin. The callback must be cheap: mark and return. */
  whenSettled(settled: () => void): Withdraw;
}

/** What the owner of the leadership holds of it. */
export class OpenAppointment implements Appointment {
  readonly sinceMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  whenSettled(settled: () => void): Withdraw {
    this.#waiting.add(settled);
    return () => this.#waiting.delete(settled);
  }

  /** Who waits looks again, and may find another appointment to wait for. */
  settle(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const settled of waiting) settled();
  }
}
