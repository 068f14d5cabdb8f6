/**
 * Writes the JavaScript source of a decoder for one struct at one version. One function a struct; reads are calls on
 * the `Reader`, which checks every bound. All versions of a struct build object literals with the same keys in the
 * same order, so that handlers see one hidden class.
 */

import {
  elementBytesMin,
  plainRows,
  type Row,
  rowsOf,
  scalarDefaultOf,
  taggedRows,
  type WireVersion,
} from "./field-layout.ts";
import type { AnyField, AnyStruct, PrimitiveName } from "./fields.ts";

export interface GeneratedSource {
  /** Function body; ends in a `return` of the entry function. */
  readonly source: string;
  /** Path of each field by the index that the code sets before it touches the field. */
  readonly paths: readonly string[];
}

export function generateDecoder(struct: AnyStruct, wire: WireVersion): GeneratedSource {
  const generator = new DecoderGenerator(wire);
  const entry = generator.structFunction(struct, "");
  return { source: `"use strict";\n${generator.functions.join("\n")}\nreturn ${entry};`, paths: generator.paths };
}

class DecoderGenerator {
  readonly functions: string[] = [];
  readonly paths: string[] = [];
  readonly #wire: WireVersion;

  constructor(wire: WireVersion) {
    this.#wire = wire;
  }

  structFunction(struct: AnyStruct, prefix: string): string {
    const rows = rowsOf(struct, this.#wire);
    const lines: string[] = [];
    for (const row of rows) {
      if (row.place !== "plain") lines.push(`let ${row.name} = ${this.#defaultOf(row.field)};`);
    }
    for (const row of plainRows(rows)) lines.push(`let ${row.name};`, ...this.#readField(row, prefix));
    if (this.#wire.flexible) lines.push(...this.#readTags(taggedRows(rows), prefix));
    const name = `decode${this.functions.length}`;
    const literal = rows.map((row) => row.name).join(", ");
    this.functions.push(`function ${name}($r) {\n${lines.join("\n")}\nreturn { ${literal} };\n}`);
    return name;
  }

  #readTags(rows: readonly Row[], prefix: string): string[] {
    if (rows.length === 0) return ["$r.skipTags();"];
    const cases = rows.flatMap((row) => [
      `case ${row.field.tag}: {`,
      `$r.field = ${this.#pathIndex(`${prefix}${row.name}`)};`,
      `const $outer = $r.openTag();`,
      ...this.#readField(row, prefix),
      `$r.closeTag($outer);`,
      `break; }`,
    ]);
    return [
      `for (let $left = $r.uvarint(); $left > 0; $left -= 1) {`,
      `switch ($r.uvarint()) {`,
      ...cases,
      `default: $r.skipTag();`,
      `}}`,
    ];
  }

  /** Statements that assign the row's variable. */
  #readField(row: Row, prefix: string): string[] {
    const path = `${prefix}${row.name}`;
    const lines = [`$r.field = ${this.#pathIndex(path)};`];
    const type = row.field.type;
    if (type.kind === "array") lines.push(...this.#readArray(row, path, type.element));
    else if (type.kind === "struct") {
      const call = `${this.structFunction(type.struct, `${path}.`)}($r)`;
      lines.push(`${row.name} = ${row.nullable ? `$r.structPresent() ? ${call} : null` : call};`);
    } else lines.push(`${row.name} = $r.${this.#readerMethod(type.kind, row)}();`);
    return lines;
  }

  #readArray(row: Row, path: string, element: PrimitiveName | AnyStruct): string[] {
    const bytesMin = elementBytesMin(element, this.#wire);
    const method = this.#lengthPrefixed("ArrayLength", row.nullable);
    const read =
      typeof element === "string"
        ? `$r.${this.#readerMethod(element, undefined)}()`
        : `${this.structFunction(element, `${path}[].`)}($r)`;
    const fill = [
      `${row.name} = [];`,
      `for (let $index = 0; $index < $length; $index += 1) ${row.name}.push(${read});`,
    ];
    if (!row.nullable) return [`{ const $length = $r.${method}(${bytesMin});`, ...fill, `}`];
    return [
      `{ const $length = $r.${method}(${bytesMin});`,
      `if ($length < 0) ${row.name} = null; else {`,
      ...fill,
      `}}`,
    ];
  }

  #readerMethod(kind: PrimitiveName, row: Row | undefined): string {
    switch (kind) {
      case "string":
        return this.#lengthPrefixed("String", row?.nullable ?? false);
      case "bytes":
      case "records":
        return this.#lengthPrefixed("Bytes", row?.nullable ?? false);
      case "int64":
        return row?.field.exact === true ? "int64Exact" : "int64";
      case "bool":
      case "int8":
      case "int16":
      case "uint16":
      case "int32":
      case "uint32":
      case "float64":
      case "uuid":
        return kind;
    }
  }

  #lengthPrefixed(noun: "String" | "Bytes" | "ArrayLength", nullable: boolean): string {
    const name = `${this.#wire.flexible ? "Compact" : ""}${nullable ? "Nullable" : ""}${noun}`;
    return name.charAt(0).toLowerCase() + name.slice(1);
  }

  /** A fresh default each time, so that no two messages share a mutable value. */
  #defaultOf(field: AnyField): string {
    if (field.default === undefined) {
      if (field.type.kind === "array") return "[]";
      if (field.type.kind === "bytes") return "Buffer.alloc(0)";
      if (field.type.kind === "struct") {
        const rows = rowsOf(field.type.struct, this.#wire);
        return `{ ${rows.map((row) => `${row.name}: ${this.#defaultOf(row.field)}`).join(", ")} }`;
      }
    }
    return JSON.stringify(scalarDefaultOf(field));
  }

  #pathIndex(path: string): number {
    return this.paths.push(path) - 1;
  }
}
