import type { CancelTimer, Timers } from "../../ports/timers.ts";
import { sideBySideReadsMax, unansweredReadMs } from "./limits.ts";
import { isStoreFailure } from "./retried-read.ts";

/**
 * A read that is asked for again, beside the first, while no answer comes: one that was lost for good would hold up a
 * broker that starts for as long as a call may take at most, long after the store is well again. The first answer counts;
 * a failure only when no other answer is waited for. A slow but sound answer is never given up for a new attempt.
 */
export function repeatedRead<T extends { readonly kind: string }>(timers: Timers, read: () => Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let asked = 0;
  let waiting = 0;
  let cancel: CancelTimer = () => undefined;
  const ask = (waitMs: number): void => {
    asked += 1;
    waiting += 1;
    if (asked < sideBySideReadsMax) cancel = timers.after(waitMs, () => ask(1.5 * waitMs));
    read().then(
      (result) => {
        waiting -= 1;
        if (isStoreFailure(result) && waiting > 0) return;
        cancel();
        resolve(result);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  };
  ask(unansweredReadMs);
  return promise;
}
