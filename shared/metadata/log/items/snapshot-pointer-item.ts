/**
 * Item at seq -2: the newest snapshot that was read back and verified. Each change is conditional on the snapshot that
 * it replaces, and only ever raises `snapshot`.
 */
import type { Item, ItemKey, PutCondition } from "../../../item-store/item-store.ts";
import type { MetadataSeq } from "../../records/record.ts";
import { snapshotPointerSeq } from "./reserved-seqs.ts";

export interface SnapshotPointer {
  /** The image holds all entries up to this one. */
  readonly seq: MetadataSeq;
  readonly objectKey: string;
  /** SHA-256 of the snapshot's body, in hex, as it also stands in its head: binds the object to this item. */
  readonly sha256: string;
}

const seqAttribute = "snapshot";

export function snapshotPointerKey(log: string): ItemKey {
  return { partition: log, sort: snapshotPointerSeq };
}

export function snapshotPointerItem(log: string, pointer: SnapshotPointer): Item {
  return {
    partition: log,
    sort: snapshotPointerSeq,
    attributes: { [seqAttribute]: pointer.seq, objectKey: pointer.objectKey, sha256: pointer.sha256 },
  };
}

export function snapshotPointerUnchanged(pointer: SnapshotPointer | undefined): PutCondition {
  const neverWritten: PutCondition = { kind: "absent" };
  return pointer === undefined ? neverWritten : { kind: "equals", attribute: seqAttribute, value: pointer.seq };
}

/** The pointer, or undefined when the item is malformed. */
export function decodeSnapshotPointer(item: Item): SnapshotPointer | undefined {
  const { [seqAttribute]: seq, objectKey, sha256 } = item.attributes;
  const whole = typeof seq === "number" && Number.isSafeInteger(seq) && seq > 0;
  if (!whole || typeof objectKey !== "string" || typeof sha256 !== "string") {
    return undefined;
  }
  return { seq, objectKey, sha256 };
}
