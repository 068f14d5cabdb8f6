import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CoordinatorKey,
  CoordinatorRecordError,
  decodeKey,
  encodeKey,
} from "../../../../../broker/coordinator/records/coordinator-key.ts";
import { decodeOffsetValue, encodeOffsetValue } from "../../../../../broker/coordinator/records/offset-value.ts";

const lkc = fc.stringMatching(/^lkc-[a-z0-9]{3,32}$/);
const groupId = fc.string({ unit: "grapheme", maxLength: 300 });
const topicId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const key: fc.Arbitrary<CoordinatorKey> = fc.oneof(
  fc.record({ kind: fc.constant("offset" as const), lkc, groupId, topicId, partition: fc.nat() }),
  fc.record({ kind: fc.constant("group" as const), lkc, groupId }),
);

describe("keys", () => {
  test("come back as they were", () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(decodeKey(encodeKey(one))).toEqual(one);
      }),
    );
  });

  test("are the same only for the same", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(encodeKey(a).equals(encodeKey(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  test("have the bytes that docs/formats/group-log.md says", () => {
    const encoded = encodeKey({
      kind: "offset",
      lkc: "lkc-dev",
      groupId: "g",
      topicId: "000102030405060708090a0b0c0d0e0f",
      partition: 3,
    });
    expect(encoded.toString("hex")).toBe("01076c6b632d646576000167000102030405060708090a0b0c0d0e0f00000003");
    expect(encodeKey({ kind: "group", lkc: "lkc-dev", groupId: "g" }).toString("hex")).toBe("02076c6b632d646576000167");
  });

  test("of other versions, or damaged, are refused as such", () => {
    const sound = encodeKey({ kind: "group", lkc: "lkc-dev", groupId: "group" });
    expect(() => decodeKey(Buffer.from([9, ...sound.subarray(1)]))).toThrow(CoordinatorRecordError);
    for (let length = 0; length < sound.length; length += 1) {
      expect(() => decodeKey(sound.subarray(0, length))).toThrow(CoordinatorRecordError);
    }
    expect(() => decodeKey(Buffer.concat([sound, Buffer.of(0)]))).toThrow(CoordinatorRecordError);
  });
});

describe("offsets", () => {
  const value = fc.record({
    offset: fc.maxSafeNat(),
    leaderEpoch: fc.integer({ min: -1, max: 2_147_483_647 }),
    commitMs: fc.maxSafeNat(),
    expireMs: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
    metadata: fc.string({ unit: "grapheme" }),
  });

  test("come back as they were", () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(decodeOffsetValue(encodeOffsetValue(one))).toEqual(one);
      }),
    );
  });

  test("have the bytes that docs/formats/group-log.md says", () => {
    const encoded = encodeOffsetValue({ offset: 42, leaderEpoch: 7, commitMs: 1_000, expireMs: -1, metadata: "m" });
    expect(encoded.toString("hex")).toBe("00000000000000002a0000000700000000000003e8ffffffffffffffff6d");
  });

  test("of other versions, or damaged, are refused as such", () => {
    const sound = encodeOffsetValue({ offset: 1, leaderEpoch: -1, commitMs: 0, expireMs: -1, metadata: "" });
    expect(() => decodeOffsetValue(Buffer.from([1, ...sound.subarray(1)]))).toThrow(CoordinatorRecordError);
    expect(() => decodeOffsetValue(sound.subarray(0, sound.length - 1))).toThrow(CoordinatorRecordError);
  });
});
