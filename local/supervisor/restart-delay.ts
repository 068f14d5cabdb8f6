/** When a broker that died is started again. */
export interface RestartPolicy {
  /** 0: never. */
  readonly restartAfterMs: number;
  readonly delayMsMax: number;
}

/**
 * Milliseconds until the next start, or undefined for never. A broker that served is started after the time asked for;
 * one that died before it served, `failuresInARow` times now, waits twice as long each time, up to the bound.
 */
export function restartDelayMs(policy: RestartPolicy, failuresInARow: number): number | undefined {
  const { restartAfterMs, delayMsMax } = policy;
  if (restartAfterMs === 0) return undefined;
  const doublings = Math.max(0, failuresInARow - 1);
  return Math.max(restartAfterMs, Math.min(delayMsMax, restartAfterMs * 2 ** doublings));
}
