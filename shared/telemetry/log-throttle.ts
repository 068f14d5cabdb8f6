import type { Clock } from "../ports/clock.ts";
import type { LogFields } from "./logger.ts";

/** At most one line of an event in this time: what strangers can make ring must not fill a disk. */
export const logThrottleMs = 1_000;
/** Events told apart; more share one budget. */
const throttledEventsMax = 100;

/**
 * Wraps a log function: an event is written at most once every `logThrottleMs`; the next line that passes carries
 * `suppressed`, the number of lines left out since.
 */
export function throttleLog(
  clock: Clock,
  log: (event: string, fields: LogFields) => void,
): (event: string, fields: LogFields) => void {
  const events = new Map<string, { lastMs: number; suppressed: number }>();
  return (event, fields) => {
    const key = events.size < throttledEventsMax || events.has(event) ? event : "";
    const nowMs = clock.monotonicMs();
    const known = events.get(key);
    if (known === undefined) {
      events.set(key, { lastMs: nowMs, suppressed: 0 });
      log(event, fields);
    } else if (nowMs - known.lastMs < logThrottleMs) {
      known.suppressed++;
    } else {
      log(event, known.suppressed === 0 ? fields : { ...fields, suppressed: known.suppressed });
      known.lastMs = nowMs;
      known.suppressed = 0;
    }
  };
}
