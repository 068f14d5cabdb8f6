import type { StoreFailure } from "../../item-store/item-store.ts";
import type { Backoff } from "./backoff.ts";
import { readAttemptsMax } from "./limits.ts";
import type { LogUnavailable } from "./metadata-log.ts";

const failureKinds: ReadonlySet<string> = new Set<StoreFailure["kind"]>([
  "throttled",
  "unavailable",
  "unknown",
  "invalid",
]);

export function isStoreFailure(result: { readonly kind: string }): result is StoreFailure {
  return failureKinds.has(result.kind);
}

/** Repeats a read that failed, a bounded number of times; every failure that stays is `unavailable`. */
export async function retriedRead<T extends { readonly kind: string }>(
  backoff: Backoff,
  read: () => Promise<T>,
): Promise<Exclude<T, StoreFailure> | LogUnavailable> {
  let message = "";
  for (let attempt = 0; attempt < readAttemptsMax; attempt++) {
    await backoff.before(attempt);
    const result = await read();
    if (!isStoreFailure(result)) {
      return result as Exclude<T, StoreFailure>;
    }
    message = `${result.kind}: ${result.message}`;
  }
  return { kind: "unavailable", message };
}
