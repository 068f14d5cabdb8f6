/** Cancels a timer; calling it after the timer fired, or twice, does nothing. */
export type CancelTimer = () => void;

/** Delayed calls. A callback must not throw: a throw is a bug and ends the process (or fails the simulation). */
export interface Timers {
  /** Calls `run` once after at least `ms` milliseconds. */
  after(ms: number, run: () => void): CancelTimer;
  /**
   * Calls `run` once the I/O events that are ready now have been handled: what one turn of the event loop produced
   * leaves in one write.
   */
  afterTurn(run: () => void): void;
}

export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  afterTurn(run) {
    setImmediate(run);
  },
};
