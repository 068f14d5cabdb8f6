/**
 * Writes the JavaScript source of an encoder for one struct at one version: one function a struct, calls on the
 * `Writer`. A missing optional field is written as its default; a value that the version cannot carry throws unless
 * the table calls the field ignorable.
 */
import type { GeneratedSource } from "./decoder-source.ts";
import { plainRows, type Row, rowsOf, scalarDefaultOf, taggedRows, type WireVersion } from "./field-layout.ts";
import type { AnyField, AnyStruct, PrimitiveName } from "./fields.ts";

export function generateEncoder(struct: AnyStruct, wire: WireVersion): GeneratedSource {
  const generator = new EncoderGenerator(wire);
  const entry = generator.structFunction(struct, "");
  return { source: `"use strict";\n${generator.functions.join("\n")}\nreturn ${entry};`, paths: generator.paths };
}

class EncoderGenerator {
  readonly functions: string[] = [];
  readonly paths: string[] = [];
  readonly #wire: WireVersion;
  readonly #differs = new Map<AnyStruct, string>();

  constructor(wire: WireVersion) {
    this.#wire = wire;
  }

  structFunction(struct: AnyStruct, prefix: string): string {
    const rows = rowsOf(struct, this.#wire);
    const lines: string[] = [
      `if ($m === null || typeof $m !== "object") $w.fail("VALUE_INVALID", String($m) + " is no struct");`,
    ];
    for (const row of rows) {
      const dropped = row.field.ignorable || row.field.advisory;
      if (row.place === "absent" && !dropped) lines.push(this.#refuseValue(row, prefix));
    }
    for (const row of plainRows(rows)) {
      lines.push(`{ let $v = $m.${row.name};`);
      // Anything else missing is a slip, and the writer says so.
      if (row.field.optional) lines.push(`if ($v === undefined) $v = ${this.#defaultOf(row.field)};`);
      lines.push(...this.#writeField(row, prefix), `}`);
    }
    if (this.#wire.flexible) lines.push(...this.#writeTags(taggedRows(rows), prefix));
    const name = `encode${this.functions.length}`;
    this.functions.push(`function ${name}($w, $m) {\n${lines.join("\n")}\n}`);
    return name;
  }

  #refuseValue(row: Row, prefix: string): string {
    const value = `$m.${row.name}`;
    const index = this.#pathIndex(`${prefix}${row.name}`);
    return `if (${value} !== undefined && ${this.#differsFromDefault(row.field, value)}) $w.failDropped(${index});`;
  }

  #writeTags(rows: readonly Row[], prefix: string): string[] {
    if (rows.length === 0) return ["$w.uvarint(0);"];
    const lines: string[] = [];
    for (const row of rows) {
      const value = `$m.${row.name}`;
      lines.push(
        `const $has${row.field.tag} = ${value} !== undefined && ${this.#differsFromDefault(row.field, value)};`,
      );
    }
    lines.push(`$w.uvarint(${rows.map((row) => `($has${row.field.tag} ? 1 : 0)`).join(" + ")});`);
    for (const row of rows) {
      lines.push(
        `if ($has${row.field.tag}) { const $v = $m.${row.name};`,
        `const $at = $w.openTag(${row.field.tag});`,
        ...this.#writeField(row, prefix),
        `$w.closeTag($at); }`,
      );
    }
    return lines;
  }

  /** Statements that write `$v`. */
  #writeField(row: Row, prefix: string): string[] {
    const path = `${prefix}${row.name}`;
    const lines = [`$w.field = ${this.#pathIndex(path)};`];
    const type = row.field.type;
    if (type.kind === "array") lines.push(...this.#writeArray(row, path, type.element));
    else if (type.kind === "struct") {
      const call = `${this.structFunction(type.struct, `${path}.`)}($w, $v);`;
      if (row.nullable) lines.push(`$w.structPresent($v !== null); if ($v !== null) ${call}`);
      else lines.push(call);
    } else lines.push(`$w.${this.#writerMethod(type.kind, row)}($v);`);
    return lines;
  }

  #writeArray(row: Row, path: string, element: PrimitiveName | AnyStruct): string[] {
    const write =
      typeof element === "string"
        ? `$w.${this.#writerMethod(element, undefined)}($v[$index]);`
        : `${this.structFunction(element, `${path}[].`)}($w, $v[$index]);`;
    const loop = `for (let $index = 0; $index < $v.length; $index += 1) ${write}`;
    return [
      `$w.${this.#lengthPrefixed("ArrayLength", row.nullable)}($v);`,
      row.nullable ? `if ($v !== null) ${loop}` : loop,
    ];
  }

  #writerMethod(kind: PrimitiveName, row: Row | undefined): string {
    switch (kind) {
      case "string":
        return this.#lengthPrefixed("String", row?.nullable ?? false);
      case "bytes":
        return this.#lengthPrefixed("Bytes", row?.nullable ?? false);
      case "records":
        return this.#wire.flexible ? "compactRecords" : "records";
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

  /** An expression that is true when the (defined) value is not the field's default. */
  #differsFromDefault(field: AnyField, value: string): string {
    if (field.default === undefined) {
      switch (field.type.kind) {
        case "array":
        case "bytes":
          return `(${value} === null || ${value}.length !== 0)`;
        case "struct":
          return `(${value} === null || ${this.#structDiffers(field.type.struct)}(${value}))`;
        default:
          break;
      }
    }
    return `${value} !== ${JSON.stringify(scalarDefaultOf(field))}`;
  }

  #structDiffers(struct: AnyStruct): string {
    const known = this.#differs.get(struct);
    if (known !== undefined) return known;
    const terms = rowsOf(struct, this.#wire).map(
      (row) => `($m.${row.name} !== undefined && ${this.#differsFromDefault(row.field, `$m.${row.name}`)})`,
    );
    const name = `differs${this.#differs.size}`;
    this.#differs.set(struct, name);
    this.functions.push(`function ${name}($m) { return ${terms.join(" || ") || "false"}; }`);
    return name;
  }

  #defaultOf(field: AnyField): string {
    return field.type.kind === "array" && field.default === undefined ? "[]" : JSON.stringify(scalarDefaultOf(field));
  }

  #pathIndex(path: string): number {
    return this.paths.push(path) - 1;
  }
}
