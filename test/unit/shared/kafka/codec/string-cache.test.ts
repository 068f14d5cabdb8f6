import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCachedString } from "../../../../../shared/kafka/codec/string-cache.ts";

describe("string cache", () => {
  test("gives what the bytes say, first time and every time, whatever else is remembered", () => {
    const texts = fc.array(
      fc.oneof(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), fc.string({ unit: "binary" })),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(texts, (list) => {
        for (const text of [...list, ...list]) {
          const bytes = Buffer.from(`<${text}>`, "utf8");
          expect(readCachedString(bytes, 1, bytes.length - 1)).toBe(text);
        }
      }),
      { numRuns: 300, seed: 13 },
    );
  });

  test("replaces invalid UTF-8 as Kafka does", () => {
    expect(readCachedString(Buffer.from([0x61, 0xff, 0x62]), 0, 3)).toBe("a\ufffdb");
  });

  test("reads strings longer than it remembers", () => {
    const text = "long-".repeat(50);

    expect(readCachedString(Buffer.from(text), 0, text.length)).toBe(text);
  });
});
