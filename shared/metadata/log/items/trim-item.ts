/**
 * Item at seq -1: entries up to `trimmed` may be gone at any moment. Raised before anything is deleted, never lowered;
 * each change is conditional on the value that it raises.
 */
import type { Item, ItemKey, PutCondition } from "../../../item-store/item-store.ts";
import type { MetadataSeq } from "../../records/record.ts";
import { trimSeq } from "./reserved-seqs.ts";

const trimmedAttribute = "trimmed";

export function trimKey(log: string): ItemKey {
  return { partition: log, sort: trimSeq };
}

export function trimItem(log: string, trimmed: MetadataSeq): Item {
  return { partition: log, sort: trimSeq, attributes: { [trimmedAttribute]: trimmed } };
}

/** Holds when the item still says `trimmed`; 0 stands for an item that was never written. */
export function trimUnchanged(trimmed: MetadataSeq): PutCondition {
  const neverTrimmed: PutCondition = { kind: "absent" };
  const stillTheSame: PutCondition = { kind: "equals", attribute: trimmedAttribute, value: trimmed };
  return trimmed === 0 ? neverTrimmed : stillTheSame;
}

/** The value, or undefined when the item is malformed. */
export function decodeTrim(item: Item): MetadataSeq | undefined {
  const trimmed = item.attributes[trimmedAttribute];
  return typeof trimmed === "number" && Number.isSafeInteger(trimmed) && trimmed > 0 ? trimmed : undefined;
}
