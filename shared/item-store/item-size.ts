import type { AttributeValue, Item, SortKey, SortKind } from "./item-store.ts";
import { itemBytesMax, sortKeyBytesMax } from "./limits.ts";

/** Names that DynamoDB's tables use for the keys, so that no attribute may have them. */
export const keyAttributes: Readonly<Record<SortKind, { readonly partition: string; readonly sort: string }>> = {
  number: { partition: "log", sort: "seq" },
  text: { partition: "collection", sort: "id" },
};

const textSortPattern = /^[!-~]+$/;

export function sortKindOf(sort: SortKey): SortKind {
  return typeof sort === "number" ? "number" : "text";
}

/** Bytes as DynamoDB counts them, roughly: names and values in UTF-8, a number as 8 bytes. */
export function itemBytes(item: Item<SortKey>): number {
  const names = keyAttributes[sortKindOf(item.sort)];
  let bytes = Buffer.byteLength(item.partition) + valueBytes(item.sort) + names.partition.length + names.sort.length;
  for (const [name, value] of Object.entries(item.attributes)) {
    bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

/** Why no store would take the item; undefined when it is fine. */
export function itemFault(item: Item<SortKey>): string | undefined {
  if (item.partition.length === 0 || !isSortKey(item.sort)) {
    return "an item needs a partition key and a sort key that is whole, or printable ASCII";
  }
  const names = keyAttributes[sortKindOf(item.sort)];
  const reserved = Object.keys(item.attributes).find((name) => name === names.partition || name === names.sort);
  if (reserved !== undefined) {
    return `attribute name ${reserved} is taken by a key`;
  }
  const endless = Object.entries(item.attributes).find(
    ([, value]) => typeof value === "number" && !Number.isFinite(value),
  );
  if (endless !== undefined) {
    return `attribute ${endless[0]} is not a finite number`;
  }
  const bytes = itemBytes(item);
  return bytes > itemBytesMax ? `item of ${bytes} bytes, ${itemBytesMax} are allowed` : undefined;
}

function isSortKey(sort: SortKey): boolean {
  return typeof sort === "number"
    ? Number.isSafeInteger(sort)
    : sort.length <= sortKeyBytesMax && textSortPattern.test(sort);
}

function valueBytes(value: AttributeValue): number {
  switch (typeof value) {
    case "string":
      return Buffer.byteLength(value);
    case "number":
      return 8;
    case "boolean":
      return 1;
    default:
      return value.byteLength;
  }
}
