import type { Item } from "../item-store/item-store.ts";
import { type JsonValue, type Shape, ShapeError } from "../metadata/records/shape.ts";

/**
 * One kind of stored object of the control plane: which collection it is in, under which id, and how it is written.
 *
 * An item has three attributes: `kind`, `revision` (32 hex digits, new with every write: what a conditional write
 * compares, so that an object that was deleted and made again is never taken for the one that was read), and `json`.
 */
export interface ControlKind<T extends object> {
  readonly kind: string;
  readonly shape: Shape<T>;
  collectionOf(value: T): string;
  idOf(value: T): string;
}

/** An object as it was read, and the revision under which. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: string;
}

export const revisionAttribute = "revision";

export function encodeControlItem<T extends object>(kind: ControlKind<T>, value: T, revision: string): Item<string> {
  return {
    partition: kind.collectionOf(value),
    sort: kind.idOf(value),
    attributes: {
      kind: kind.kind,
      [revisionAttribute]: revision,
      json: JSON.stringify(kind.shape.encode(value)),
    },
  };
}

/** Throws `ShapeError` when the item is not what this build writes. */
export function decodeControlItem<T extends object>(kind: ControlKind<T>, item: Item<string>): Stored<T> {
  const { kind: name, [revisionAttribute]: revision, json } = item.attributes;
  const path = `${item.partition} ${item.sort}`;
  if (name !== kind.kind || typeof revision !== "string" || typeof json !== "string") {
    throw new ShapeError(path, `an item of kind ${kind.kind}`);
  }
  return { value: kind.shape.decode(JSON.parse(json) as JsonValue, path), revision };
}
