/** Time as a value that is handed in, so that a simulator can own it. Nothing outside `shared/ports` reads a clock itself. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump: never use it for a timeout or for safety. */
  wallMs(): number;
  /** Milliseconds, fractional, from an arbitrary origin; never goes back. For timeouts and latencies. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
