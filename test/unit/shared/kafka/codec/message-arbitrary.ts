/**
 * Random values of any message at any version, derived from the schema table: what a decoder would give, that is with
 * fields that the version does not carry at their defaults.
 */
import fc from "fast-check";
import { wireVersionOf } from "../../../../../shared/kafka/codec/compile-schema.ts";
import { type Row, rowsOf, scalarDefaultOf, type WireVersion } from "../../../../../shared/kafka/codec/field-layout.ts";
import type { AnyField, AnyStruct, Api, PrimitiveName } from "../../../../../shared/kafka/codec/fields.ts";
import { uuidFromBytes } from "../../../../../shared/kafka/codec/uuid.ts";

const arrayLengthMax = 3;

export function messageArbitrary(api: Api, kind: "request" | "response", version: number): fc.Arbitrary<unknown> {
  return structArbitrary(api[kind], wireVersionOf(api, version));
}

export function structArbitrary(struct: AnyStruct, wire: WireVersion): fc.Arbitrary<unknown> {
  return fc.record(Object.fromEntries(rowsOf(struct, wire).map((row) => [row.name, rowArbitrary(row, wire)])), {
    noNullPrototype: true,
  });
}

function rowArbitrary(row: Row, wire: WireVersion): fc.Arbitrary<unknown> {
  if (row.place === "absent") return fc.constant(defaultOf(row.field, wire));
  const value = valueArbitrary(row.field, wire);
  const fallback = defaultOf(row.field, wire);
  // A default of null is no value where the version has no null.
  const choices = fallback === null ? [value] : [value, value, value, fc.constant(fallback)];
  return fc.oneof(...choices, ...(row.nullable ? [fc.constant(null)] : []));
}

function valueArbitrary(field: AnyField, wire: WireVersion): fc.Arbitrary<unknown> {
  const type = field.type;
  if (type.kind === "struct") return structArbitrary(type.struct, wire);
  if (type.kind !== "array") return primitiveArbitrary(type.kind, field.exact);
  const element =
    typeof type.element === "string" ? primitiveArbitrary(type.element, false) : structArbitrary(type.element, wire);
  return fc.array(element, { maxLength: arrayLengthMax });
}

function primitiveArbitrary(kind: PrimitiveName, exact: boolean): fc.Arbitrary<unknown> {
  switch (kind) {
    case "bool":
      return fc.boolean();
    case "int8":
      return fc.integer({ min: -0x80, max: 0x7f });
    case "int16":
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case "uint16":
      return fc.integer({ min: 0, max: 0xffff });
    case "int32":
      return fc.integer();
    case "uint32":
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case "int64":
      // The ends stand for the ends of int64 in a field that saturates, and for themselves in one that does not.
      return exact ? fc.maxSafeInteger() : fc.oneof(fc.maxSafeInteger(), fc.constantFrom(Number.MAX_SAFE_INTEGER, -1));
    case "float64":
      return fc.double({ noNaN: true });
    case "string":
      return fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.constant("a".repeat(200)),
      );
    case "bytes":
    case "records":
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    case "uuid":
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes);
  }
}

function defaultOf(field: AnyField, wire: WireVersion): unknown {
  if (field.default !== undefined) return field.default;
  switch (field.type.kind) {
    case "array":
      return [];
    case "bytes":
      return Buffer.alloc(0);
    case "struct":
      return Object.fromEntries(rowsOf(field.type.struct, wire).map((row) => [row.name, defaultOf(row.field, wire)]));
    default:
      return scalarDefaultOf(field);
  }
}
