import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compress,
  compressionId,
  compressionName,
  decompress,
} from "../../../../../shared/kafka/records/compression.ts";

const text =
  "The quick brown fox jumps over the lazy dog. ".repeat(6) + "0123456789abcdefghijklmnopqrstuvwxyz" + "a".repeat(43);

/** Made by other implementations: Python's lz4 4 (two kinds of frame) and cramjam (raw Snappy). */
const foreign: readonly [name: string, codec: number, bytes: string][] = [
  [
    "lz4, with content size",
    3,
    "04224d1868405d010000000000002662000000ff1e54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e202d00ceff16303132333435363738396162636465666768696a6b6c6d6e6f707172737475767778797a6101001250616161616100000000",
  ],
  [
    "lz4, linked blocks, all checksums",
    3,
    "04224d187c405d010000000000009b62000000ff1e54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e202d00ceff16303132333435363738396162636465666768696a6b6c6d6e6f707172737475767778797a61010012506161616161d2c5dc8900000000fb401315",
  ],
  [
    "snappy, one raw stream",
    2,
    "dd02b054686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e20fe2d00fe2d00fe2d00822d0098303132333435363738396162636465666768696a6b6c6d6e6f707172737475767778797a6161619e0200",
  ],
];

const codecs = ["gzip", "snappy", "lz4", "zstd"] as const;

describe("compression", () => {
  test.each(foreign)("what another implementation folded is unfolded: %s", (_, codec, bytes) => {
    expect(decompress(codec, Buffer.from(bytes, "hex")).toString()).toBe(text);
  });

  test.each(codecs)("%s: what is unfolded is what was folded", (name) => {
    const id = compressionId(name);
    const parts = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        fc
          .record({ byte: fc.nat(255), count: fc.nat(3_000) })
          .map(({ byte, count }) => new Uint8Array(count).fill(byte)),
        fc
          .record({ word: fc.uint8Array({ minLength: 1, maxLength: 40 }), count: fc.nat(2_000) })
          .map(({ word, count }) => Buffer.concat(Array.from({ length: count }, () => word))),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(parts, (all) => {
        const bytes = Buffer.concat(all);
        expect(decompress(id, compress(id, bytes)).equals(bytes)).toBe(true);
      }),
    );
    const large = Buffer.alloc(300_000, (Math.PI * 1e15).toString(36));
    expect(decompress(id, compress(id, large)).equals(large)).toBe(true);
    expect(compress(id, large).length).toBeLessThan(30_000);
  });

  test.each(codecs)("%s: nothing is unfolded past the bound", (name) => {
    const id = compressionId(name);
    const folded = compress(id, Buffer.alloc(1_000_000));
    expect(decompress(id, folded, 1_000_000).length).toBe(1_000_000);
    expect(() => decompress(id, folded, 999_999)).toThrow(expect.objectContaining({ code: "DAMAGED_OR_TOO_LARGE" }));
  });

  test.each(["snappy", "lz4"] as const)(
    "%s: damaged bytes give an error or other bytes, never more than the bound",
    (name) => {
      const id = compressionId(name);
      const sound = compress(id, Buffer.from(text));
      fc.assert(
        fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length), (at, byte, length) => {
          const bytes = Buffer.from(sound);
          bytes[at] = byte;
          try {
            expect(decompress(id, bytes.subarray(0, length), 5_000).length).toBeLessThanOrEqual(5_000);
          } catch (error) {
            expect(error).toMatchObject({ code: "DAMAGED_OR_TOO_LARGE" });
          }
        }),
        { numRuns: 3_000 },
      );
    },
  );

  test("numbers and names", () => {
    expect([0, 1, 2, 3, 4, 5].map(compressionName)).toEqual([
      "uncompressed",
      "gzip",
      "snappy",
      "lz4",
      "zstd",
      undefined,
    ]);
    expect(() => compress(5, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: "CODEC_UNKNOWN" }));
  });
});
