/** Goal: handlers get the types that the table says, readable and without casts. */
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Decoded, Encodable, RecordChunks } from "../../../../../shared/kafka/codec/fields.ts";
import { array, bool, int32, object, records, string, struct } from "../../../../../shared/kafka/codec/fields.ts";
import { parseVersionRange } from "../../../../../shared/kafka/codec/version-range.ts";

const inner = struct({ index: int32("0+"), data: records("0+") });
const outer = struct({
  name: string("0+"),
  rack: string("1+", { nullable: "1+", default: null }),
  flag: bool("2+", { tag: 0 }),
  inners: array(inner, "0+"),
  ids: array("int32", "0+", { nullable: "0+" }),
  one: object(inner, "0+", { nullable: "0+", default: null }),
});

describe("types from a table", () => {
  test("decoding gives every field", () => {
    expectTypeOf<Decoded<typeof outer>>().toEqualTypeOf<{
      readonly name: string;
      readonly rack: string | null;
      readonly flag: boolean;
      readonly inners: readonly { readonly index: number; readonly data: Buffer | null }[];
      readonly ids: readonly number[] | null;
      readonly one: { readonly index: number; readonly data: Buffer | null } | null;
    }>();
  });

  test("encoding takes fields with a default or a tag as optional, and records in pieces", () => {
    expectTypeOf<Encodable<typeof outer>>().toEqualTypeOf<{
      readonly name: string;
      readonly rack?: string | null | undefined;
      readonly flag?: boolean | undefined;
      readonly inners: readonly { readonly index: number; readonly data: RecordChunks | null }[];
      readonly ids: readonly number[] | null;
      readonly one?: { readonly index: number; readonly data: RecordChunks | null } | null | undefined;
    }>();
  });
});

describe("version ranges", () => {
  test.each([
    ["3", 3, 3],
    ["0-4", 0, 4],
    ["2+", 2, 32_767],
  ])("%s is %i to %i", (spec, min, max) => {
    expect(parseVersionRange(spec)).toEqual({ min, max });
  });

  test.each(["", "none", "4-2", "-1", "1.5", "3-", "99999"])("%s is refused", (spec) => {
    expect(() => parseVersionRange(spec)).toThrow(RangeError);
  });
});
