import type { AnyField, AnyStruct, Api, RequestInputOf } from "../../../../shared/kafka/codec/fields.ts";
import { encodeRequest } from "../../../../shared/kafka/codec/message-codec.ts";
import { ZERO_UUID } from "../../../../shared/kafka/codec/uuid.ts";
import { rangeContains } from "../../../../shared/kafka/codec/version-range.ts";
import type { Random } from "../../../../shared/ports/random.ts";

export interface Ingredients {
  readonly random: Random;
  /** For topics, and for all other strings. */
  readonly names: readonly string[];
  /** Beside random ones. */
  readonly uuids: readonly string[];
  /** For int32 and int64 fields, beside the usual suspects. */
  readonly numbers: readonly number[];
  readonly records: Buffer;
}

/** A request that the schema allows, with values that hit as often as they miss; the whole frame as it is sent. */
export function arbitraryRequest(api: Api, version: number, ingredients: Ingredients): Buffer {
  const body = new Maker(version, ingredients).struct(api.request) as RequestInputOf<Api>;
  return Buffer.concat(encodeRequest(api, version, { correlationId: 1, clientId: "arbitrary" }, body));
}

const numbers = [0, 1, -1, -2, 2, 3, 100];

class Maker {
  readonly #version: number;
  readonly #ingredients: Ingredients;

  constructor(version: number, ingredients: Ingredients) {
    this.#version = version;
    this.#ingredients = ingredients;
  }

  struct(struct: AnyStruct): Record<string, unknown> {
    const message: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(struct.fields)) {
      if (rangeContains(field.versions, this.#version)) message[name] = this.#field(field);
    }
    return message;
  }

  #field(field: AnyField): unknown {
    const nullable = rangeContains(field.nullableVersions, this.#version);
    if (nullable && this.#below(4) === 0) return null;
    const { type } = field;
    if (type.kind === "struct") return this.struct(type.struct);
    if (type.kind !== "array") return this.#primitive(type.kind);
    const { element } = type;
    return Array.from({ length: this.#below(3) }, () =>
      typeof element === "string" ? this.#primitive(element) : this.struct(element),
    );
  }

  #primitive(kind: string): unknown {
    switch (kind) {
      case "bool":
        return this.#below(2) === 0;
      case "string":
        return this.#oneOf(this.#ingredients.names);
      case "uuid":
        return this.#oneOf([
          ZERO_UUID,
          this.#ingredients.random.bytes(16).toString("base64url"),
          ...this.#ingredients.uuids,
        ]);
      case "bytes":
        return this.#ingredients.random.bytes(this.#below(20));
      case "records":
        return Buffer.from(this.#ingredients.records);
      case "uint16":
      case "uint32":
        return this.#below(100);
      case "float64":
        return this.#ingredients.random.fraction();
      case "int32":
      case "int64":
        return this.#oneOf([...numbers, ...this.#ingredients.numbers]);
      default:
        return this.#oneOf(numbers);
    }
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  #below(end: number): number {
    return Math.floor(this.#ingredients.random.fraction() * end);
  }
}
