/**
 * Shapes: how a value of a record is written as JSON and checked when it is read back. A shape refuses what it does not
 * know (fields as well), so that a change of a record's content can only come with a new version of the record.
 */
import { stringBytesMax } from "./limits.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface Shape<T> {
  /** The field may be left out of its object: `undefined` is not written, and what is not there is not read. */
  readonly optional?: true;
  encode(value: T): JsonValue;
  /** Throws `ShapeError` when the JSON is not of this shape; `path` tells where, for the message. */
  decode(json: JsonValue, path: string): T;
}

/** What was read is not what the shape allows. Caught by the codec and turned into its `corrupt` result. */
export class ShapeError extends Error {
  readonly code = "METADATA_SHAPE";
  constructor(path: string, expected: string) {
    super(`${path}: expected ${expected}`);
    this.name = "ShapeError";
  }
}

/** A safe integer of at least `min`. */
export function integer(min: number): Shape<number> {
  const check = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= min;
  return {
    encode(value) {
      if (!check(value)) {
        throw new ShapeError("value", `an integer of at least ${min}, got ${value}`);
      }
      return value;
    },
    decode(json, path) {
      if (!check(json)) {
        throw new ShapeError(path, `an integer of at least ${min}`);
      }
      return json as number;
    },
  };
}

export const text: Shape<string> = {
  encode(value) {
    if (typeof value !== "string" || Buffer.byteLength(value) > stringBytesMax) {
      throw new ShapeError("value", `a string of at most ${stringBytesMax} bytes`);
    }
    return value;
  },
  decode(json, path) {
    if (typeof json !== "string" || json.length > stringBytesMax) {
      throw new ShapeError(path, `a string of at most ${stringBytesMax} bytes`);
    }
    return json;
  },
};

/** A string that matches the pattern, which must be anchored. */
export function textLike(pattern: RegExp): Shape<string> {
  return {
    encode(value) {
      if (typeof value !== "string" || !pattern.test(value)) {
        throw new ShapeError("value", `a string like ${pattern}, got ${value}`);
      }
      return value;
    },
    decode(json, path) {
      if (typeof json !== "string" || !pattern.test(json)) {
        throw new ShapeError(path, `a string like ${pattern}`);
      }
      return json;
    },
  };
}

export const flag: Shape<boolean> = {
  encode: (value) => value,
  decode(json, path) {
    if (typeof json !== "boolean") {
      throw new ShapeError(path, "a boolean");
    }
    return json;
  },
};

export function listOf<T>(element: Shape<T>): Shape<readonly T[]> {
  return {
    encode: (values) => values.map((value) => element.encode(value)),
    decode(json, path) {
      if (!Array.isArray(json)) {
        throw new ShapeError(path, "a list");
      }
      return json.map((value: JsonValue, index) => element.decode(value, `${path}[${index}]`));
    },
  };
}

/** An object used as a map from any string; keys are written in ascending order, so that equal maps have equal bytes. */
export function mapOf<T>(element: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    encode(values) {
      const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(sorted.map(([key, value]) => [key, element.encode(value)]));
    },
    decode(json, path) {
      const entries = Object.entries(asObject(json, path));
      return Object.fromEntries(entries.map(([key, value]) => [key, element.decode(value, `${path}.${key}`)]));
    },
  };
}

/**
 * A field that an object may lack. A record can be extended by such fields without a new version only before any build
 * that refuses them was released (docs/formats/metadata-log.md).
 */
export function optional<T>(shape: Shape<T>): Shape<T> {
  return { ...shape, optional: true };
}

export type FieldShapes<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

/** An object with exactly these fields. */
export function objectOf<T extends object>(fields: FieldShapes<T>): Shape<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    encode(value) {
      const written = names.filter((name) => value[name] !== undefined || fields[name].optional !== true);
      return Object.fromEntries(written.map((name) => [name, fields[name].encode(value[name])]));
    },
    decode(json, path) {
      const object = asObject(json, path);
      const unknown = Object.keys(object).find((name) => !names.includes(name as keyof T & string));
      if (unknown !== undefined) {
        throw new ShapeError(path, `no field ${unknown}`);
      }
      const read = names.filter((name) => object[name] !== undefined || fields[name].optional !== true);
      const decoded = read.map((name) => [name, fields[name].decode(present(object, name, path), `${path}.${name}`)]);
      return Object.fromEntries(decoded) as T;
    },
  };
}

/** The same object written as a list of its fields' values in this order: for what there are many of. */
export function tupleOf<T extends object>(fields: FieldShapes<T>): Shape<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    encode: (value) => names.map((name) => fields[name].encode(value[name])),
    decode(json, path) {
      if (!Array.isArray(json) || json.length !== names.length) {
        throw new ShapeError(path, `a list of ${names.length}: ${names.join(", ")}`);
      }
      const values: readonly JsonValue[] = json;
      const decoded = names.map((name, index) => [
        name,
        fields[name].decode(values[index] as JsonValue, `${path}.${name}`),
      ]);
      return Object.fromEntries(decoded) as T;
    },
  };
}

function asObject(json: JsonValue, path: string): { readonly [key: string]: JsonValue } {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ShapeError(path, "an object");
  }
  return json as { readonly [key: string]: JsonValue };
}

function present(object: { readonly [key: string]: JsonValue }, name: string, path: string): JsonValue {
  const value = object[name];
  if (value === undefined) {
    throw new ShapeError(path, `a field ${name}`);
  }
  return value;
}
