import { describe, expect, test } from "vitest";
import { isUuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from "../../../../../shared/kafka/codec/uuid.ts";

describe("uuid", () => {
  test("is what Kafka's tools print: base64url without padding", () => {
    const bytes = Buffer.from("00112233445566778899aabbccddeeff", "hex");

    const text = uuidFromBytes(bytes);

    expect(text).toBe("ABEiM0RVZneImaq7zN3u_w");
    expect(uuidToBytes(text)).toEqual(bytes);
  });

  test("has one spelling: a second one of the same bytes is refused", () => {
    // The last character carries two bits only; `B` would decode to the same bytes as `A`.
    expect(isUuid(ZERO_UUID)).toBe(true);
    expect(isUuid(`${"A".repeat(21)}B`)).toBe(false);
    expect(() => uuidToBytes(`${"A".repeat(21)}B`)).toThrow(RangeError);
  });

  test.each(["", "A".repeat(21), "A".repeat(23), `${"A".repeat(20)}+A`])("%j is none", (text) => {
    expect(isUuid(text)).toBe(false);
  });

  test("is made of sixteen bytes", () => {
    expect(() => uuidFromBytes(Buffer.alloc(15))).toThrow(RangeError);
  });
});
