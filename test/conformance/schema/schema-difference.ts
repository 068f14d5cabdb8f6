/**
 * Compares one of our message tables with the official descriptor, field by field, inside the versions that we serve.
 * Fields that exist only at other versions are not ours to have.
 */
import { scalarDefaultOf } from "../../../shared/kafka/codec/field-layout.ts";
import type { AnyField, AnyStruct } from "../../../shared/kafka/codec/fields.ts";
import { NO_VERSIONS, parseVersionRange, type VersionRange } from "../../../shared/kafka/codec/version-range.ts";
import type { Descriptor, DescriptorField } from "./kafka-clients-jar.ts";

/** Longest list of differences worth printing for one message. */
const differencesMax = 50;

export interface MessageTable {
  readonly struct: AnyStruct;
  readonly versions: VersionRange;
}

/** One line for each difference; empty when the table says what the descriptor says. */
export function differencesOf(table: MessageTable, descriptor: Descriptor): string[] {
  const differences: string[] = [];
  const structs = new Map((descriptor.commonStructs ?? []).map((struct) => [struct.name, struct.fields]));
  compareStruct(table.struct, descriptor.fields, { path: "", versions: table.versions, structs, differences });
  return differences.slice(0, differencesMax);
}

interface Comparison {
  readonly path: string;
  readonly versions: VersionRange;
  readonly structs: ReadonlyMap<string, readonly DescriptorField[]>;
  readonly differences: string[];
}

function compareStruct(ours: AnyStruct, theirs: readonly DescriptorField[], at: Comparison): void {
  const carried = theirs.filter((field) => !isEmpty(intersect(rangeOf(field.versions), at.versions)));
  const theirNames = carried.map((field) => lowerFirst(field.name));
  const ourNames = Object.keys(ours.fields);
  if (ourNames.join() !== theirNames.join()) {
    at.differences.push(`${at.path || "message"}: fields are ${ourNames.join()} but should be ${theirNames.join()}`);
  }
  for (const field of carried) {
    const name = lowerFirst(field.name);
    const our = ours.fields[name];
    if (our !== undefined) compareField(our, field, { ...at, path: at.path === "" ? name : `${at.path}.${name}` });
  }
}

function compareField(our: AnyField, their: DescriptorField, at: Comparison): void {
  const carried = intersect(rangeOf(their.versions), at.versions);
  const facts: [string, unknown, unknown][] = [
    ["type", typeNameOf(our), typeNameIn(their)],
    ["versions", show(intersect(our.versions, at.versions)), show(carried)],
    [
      "nullable versions",
      show(intersect(our.nullableVersions, carried)),
      show(intersect(rangeOf(their.nullableVersions), carried)),
    ],
    ["tag", our.tag, their.tag],
    [
      "tagged versions",
      show(our.tag === undefined ? NO_VERSIONS : intersect(our.versions, at.versions)),
      show(intersect(rangeOf(their.taggedVersions), at.versions)),
    ],
    ["default", defaultOf(our), defaultIn(their)],
    ["ignorable", our.ignorable, their.ignorable ?? false],
  ];
  // The descriptors leave many entities out; where they name one, so do we.
  if (their.entityType !== undefined) facts.push(["entity", our.entity, their.entityType]);
  for (const [fact, ourValue, theirValue] of facts) {
    if (ourValue !== theirValue) {
      at.differences.push(`${at.path}: ${fact} is ${String(ourValue)} but should be ${String(theirValue)}`);
    }
  }
  const element = structOf(our);
  const theirFields = their.fields ?? at.structs.get(their.type.replace("[]", ""));
  if (element !== undefined && theirFields !== undefined) {
    compareStruct(element, theirFields, { ...at, versions: carried });
  }
}

function structOf(field: AnyField): AnyStruct | undefined {
  if (field.type.kind === "struct") return field.type.struct;
  if (field.type.kind === "array" && typeof field.type.element !== "string") return field.type.element;
  return undefined;
}

function typeNameOf(field: AnyField): string {
  if (field.type.kind !== "array") return field.type.kind;
  return `[]${typeof field.type.element === "string" ? field.type.element : "struct"}`;
}

/** Struct names start with a capital; ours have none, so only the kind is compared, and the fields below. */
function typeNameIn(field: DescriptorField): string {
  return field.type.replace(/[A-Z]\w*$/, "struct");
}

function defaultOf(field: AnyField): unknown {
  if (field.type.kind === "array" && field.default === undefined) return "empty";
  if (field.type.kind === "struct" && field.default === undefined) return "empty";
  if (field.type.kind === "bytes" && field.default === undefined) return "empty";
  return scalarDefaultOf(field);
}

/** The descriptor's default in our terms: written ones are strings, an unwritten one follows from the type. */
function defaultIn(field: DescriptorField): unknown {
  const written = field.default;
  if (written === "null") return null;
  const type = typeNameIn(field);
  if (type.startsWith("[]") || type === "struct" || type === "bytes") return "empty";
  if (type === "records") return null;
  if (type === "uuid") return written ?? "AAAAAAAAAAAAAAAAAAAAAA";
  if (type === "string") return written ?? "";
  if (type === "bool") return String(written ?? "false") === "true";
  const value = Number(written ?? 0);
  if (type !== "int64") return value;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

export function rangeOf(spec: string | undefined): VersionRange {
  return spec === undefined || spec === "none" ? NO_VERSIONS : parseVersionRange(spec);
}

export function intersect(a: VersionRange, b: VersionRange): VersionRange {
  return { min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) };
}

export function isEmpty(range: VersionRange): boolean {
  return range.max < range.min;
}

export function show(range: VersionRange): string {
  return isEmpty(range) ? "none" : `${range.min}-${range.max}`;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
