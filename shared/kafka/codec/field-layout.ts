/**
 * What one struct looks like at one version: which rows travel in order, which in the tagged section, which not at
 * all, and what an absent one decodes to. Both source generators read the table through this.
 */
import type { AnyField, AnyStruct } from "./fields.ts";
import { ZERO_UUID } from "./uuid.ts";
import { rangeContains } from "./version-range.ts";

/** The version to lay out for, and whether it has compact lengths and tagged sections. */
export interface WireVersion {
  readonly version: number;
  readonly flexible: boolean;
}

export interface Row {
  readonly name: string;
  readonly field: AnyField;
  readonly place: "plain" | "tagged" | "absent";
  readonly nullable: boolean;
}

const FIELD_NAME_PATTERN = /^[a-z][A-Za-z0-9]*$/;

export function rowsOf(struct: AnyStruct, { version, flexible }: WireVersion): readonly Row[] {
  return Object.entries(struct.fields).map(([name, field]) => {
    // Names become part of generated source.
    if (!FIELD_NAME_PATTERN.test(name)) throw new RangeError(`not a field name: "${name}"`);
    if (field.tag !== undefined && field.type.kind === "records") throw new RangeError(`tagged records: "${name}"`);
    const carried = rangeContains(field.versions, version);
    if (carried && field.tag !== undefined && !flexible) throw new RangeError(`tag before flexibility: "${name}"`);
    const place = !carried ? "absent" : field.tag === undefined ? "plain" : "tagged";
    return {
      name,
      field,
      place,
      nullable: field.type.kind === "records" || rangeContains(field.nullableVersions, version),
    };
  });
}

export function plainRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => row.place === "plain");
}

/** Tagged rows in the order of their tags, as they must be sent. */
export function taggedRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => row.place === "tagged").sort((a, b) => (a.field.tag ?? 0) - (b.field.tag ?? 0));
}

/** The value of a scalar row that is not on the wire; null also stands for a null array, struct or byte string. */
export function scalarDefaultOf(field: AnyField): number | string | boolean | null {
  if (field.default !== undefined) return field.default;
  switch (field.type.kind) {
    case "bool":
      return false;
    case "string":
      return "";
    case "uuid":
      return ZERO_UUID;
    case "bytes":
    case "records":
    case "struct":
    case "array":
      return null;
    case "int8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "float64":
      return 0;
  }
}

const FIXED_BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
};

/** The fewest bytes that one element of an array can take, which bounds how many a message can hold. */
export function elementBytesMin(element: string | AnyStruct, wire: WireVersion): number {
  if (typeof element === "string") {
    return FIXED_BYTES[element] ?? lengthBytesMin(element, wire);
  }
  let bytes = wire.flexible ? 1 : 0;
  for (const row of plainRows(rowsOf(element, wire))) bytes += fieldBytesMin(row, wire);
  // A struct of no bytes would let any length pass.
  if (bytes === 0) throw new RangeError(`array of empty structs at version ${wire.version}`);
  return bytes;
}

function fieldBytesMin(row: Row, wire: WireVersion): number {
  const type = row.field.type;
  if (type.kind === "struct") return row.nullable ? 1 : elementBytesMin(type.struct, wire);
  return FIXED_BYTES[type.kind] ?? lengthBytesMin(type.kind, wire);
}

function lengthBytesMin(kind: string, { flexible }: WireVersion): number {
  if (flexible) return 1;
  return kind === "string" ? 2 : 4;
}
