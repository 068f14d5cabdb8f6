import type { AttributeValue, Item } from "./item-store.ts";
import { itemBytesMax } from "./limits.ts";

/** Names that DynamoDB's table uses for the keys, so that no attribute may have them. */
export const keyAttributes = { partition: "log", sort: "seq" } as const;

/** Bytes as DynamoDB counts them, roughly: names and values in UTF-8, a number as 8 bytes. */
export function itemBytes(item: Item): number {
  let bytes = Buffer.byteLength(item.partition) + 8 + keyAttributes.partition.length + keyAttributes.sort.length;
  for (const [name, value] of Object.entries(item.attributes)) {
    bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

/** Why no store would take the item; undefined when it is fine. */
export function itemFault(item: Item): string | undefined {
  if (item.partition.length === 0 || !Number.isSafeInteger(item.sort)) {
    return "an item needs a partition key and a whole sort key";
  }
  const reserved = Object.keys(item.attributes).find(
    (name) => name === keyAttributes.partition || name === keyAttributes.sort,
  );
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
