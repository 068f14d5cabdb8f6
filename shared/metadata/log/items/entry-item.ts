/**
 * Item at seq ≥ 1: one entry of the log, or the seal that ends it. Written once under "absent", never changed; deleted
 * by the trim, or by its own writer when it fell into a trimmed hole.
 */
import type { Item } from "../../../item-store/item-store.ts";
import type { MetadataSeq } from "../../records/record.ts";

export interface StoredEntry {
  readonly seq: MetadataSeq;
  /** Unique id of the entry, also inside the bytes; beside them so that an outcome is settled without decoding. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** What stands at a number of the log. */
export type LogSlot =
  | { readonly kind: "entry"; readonly entry: StoredEntry }
  /** The log ends before this number: nothing is ever appended again. */
  | { readonly kind: "seal"; readonly seq: MetadataSeq; readonly id: string }
  | { readonly kind: "malformed"; readonly seq: MetadataSeq };

/** The attribute that a conditional deletion compares. */
export const entryIdAttribute = "id";

export function entryItem(log: string, entry: StoredEntry): Item {
  return { partition: log, sort: entry.seq, attributes: { kind: "entry", id: entry.id, bytes: entry.bytes } };
}

export function sealItem(log: string, seq: MetadataSeq, id: string): Item {
  return { partition: log, sort: seq, attributes: { kind: "seal", id } };
}

export function decodeSlot(item: Item): LogSlot {
  const { kind, id, bytes } = item.attributes;
  if (kind === "entry" && typeof id === "string" && bytes instanceof Uint8Array) {
    const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { kind: "entry", entry: { seq: item.sort, id, bytes: view } };
  }
  if (kind === "seal" && typeof id === "string") {
    return { kind: "seal", seq: item.sort, id };
  }
  return { kind: "malformed", seq: item.sort };
}
