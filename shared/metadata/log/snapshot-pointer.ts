import type { ItemStore } from "../../item-store/item-store.ts";
import type { Backoff } from "./backoff.ts";
import { decodeSnapshotPointer, type SnapshotPointer, snapshotPointerKey } from "./items/snapshot-pointer-item.ts";
import type { LogCorrupt, LogUnavailable } from "./metadata-log.ts";
import { retriedRead } from "./retried-read.ts";

export type SnapshotPointerResult =
  | { readonly kind: "pointer"; readonly pointer: SnapshotPointer }
  | { readonly kind: "none" }
  | LogUnavailable
  | LogCorrupt;

/** Where the newest verified snapshot of a log is. */
export async function readSnapshotPointer(
  store: ItemStore,
  log: string,
  backoff: Backoff,
): Promise<SnapshotPointerResult> {
  const read = await retriedRead(backoff, () => store.get(snapshotPointerKey(log)));
  if (read.kind === "unavailable") {
    return read;
  }
  if (read.kind === "absent") {
    return { kind: "none" };
  }
  const pointer = decodeSnapshotPointer(read.item);
  return pointer === undefined
    ? { kind: "corrupt", message: `the snapshot pointer of log ${log} is malformed` }
    : { kind: "pointer", pointer };
}
