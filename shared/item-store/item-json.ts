/**
 * Items and store calls as JSON: what the embedded store keeps in its file and what brokers send to its process.
 * An attribute is `{"s": text}`, `{"n": number}`, `{"f": flag}` or `{"b": bytes in base64}`.
 */
import type { AttributeValue, DeleteCondition, Item, PutCondition, SortKey, SortKind } from "./item-store.ts";

/** Something is not of the expected form. The server answers it with `invalid`. */
export class ItemJsonError extends Error {
  readonly code = "ITEM_JSON";
}

type Json = unknown;

export function encodeAttributes(attributes: Item["attributes"]): Json {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: AttributeValue): Json {
  switch (typeof value) {
    case "string":
      return { s: value };
    case "number":
      return { n: value };
    case "boolean":
      return { f: value };
    default:
      return { b: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
}

export function decodeAttributes(json: Json): Item["attributes"] {
  const entries = Object.entries(asObject(json, "attributes"));
  return Object.fromEntries(entries.map(([name, value]) => [name, decodeValue(asObject(value, name), name)]));
}

function decodeValue(json: Readonly<Record<string, Json>>, name: string): AttributeValue {
  const { s, n, f, b } = json;
  if (typeof s === "string") {
    return s;
  }
  if (typeof n === "number") {
    return n;
  }
  if (typeof f === "boolean") {
    return f;
  }
  if (typeof b === "string") {
    return Buffer.from(b, "base64");
  }
  throw new ItemJsonError(`attribute ${name} has no known type`);
}

export function encodeItem(item: Item<SortKey>): Json {
  return { partition: item.partition, sort: item.sort, attributes: encodeAttributes(item.attributes) };
}

export function decodeItem<Kind extends SortKind>(json: Json, kind: Kind): Item<SortOf<Kind>> {
  const { partition, sort, attributes } = asObject(json, "item");
  return { partition: asText(partition), sort: asSort(sort, kind), attributes: decodeAttributes(attributes) };
}

/** The type of the sort keys of a table of this kind. */
export type SortOf<Kind extends SortKind> = Kind extends "number" ? number : string;

export function asSort<Kind extends SortKind>(json: Json, kind: Kind): SortOf<Kind> {
  // One branch for each kind: the compiler does not follow the kind into the type.
  return (kind === "number" ? asNumber(json) : asText(json)) as SortOf<Kind>;
}

/** Conditions are JSON values as they are; this checks one that came over a wire. */
export function decodePutCondition(json: Json): PutCondition {
  const { kind, attribute, value } = asObject(json, "condition");
  if (kind === "none" || kind === "absent") {
    return { kind };
  }
  if (kind === "equals" && (typeof value === "string" || typeof value === "number")) {
    return { kind, attribute: asText(attribute), value };
  }
  throw new ItemJsonError("the condition is of no known kind");
}

export function decodeDeleteCondition(json: Json): DeleteCondition {
  const condition = decodePutCondition(json);
  if (condition.kind === "absent") {
    throw new ItemJsonError("a deletion cannot ask for absence");
  }
  return condition;
}

export function asObject(json: Json, what: string): Readonly<Record<string, Json>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ItemJsonError(`${what} is not an object`);
  }
  return json as Readonly<Record<string, Json>>;
}

export function asText(json: Json): string {
  if (typeof json !== "string") {
    throw new ItemJsonError("a text is missing");
  }
  return json;
}

export function asNumber(json: Json): number {
  if (typeof json !== "number") {
    throw new ItemJsonError("a number is missing");
  }
  return json;
}
