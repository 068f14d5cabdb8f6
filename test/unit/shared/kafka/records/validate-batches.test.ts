import { describe, expect, test } from "vitest";
import { type BatchToEncode, decodeRecords, encodeBatch } from "../../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../../shared/kafka/records/record-batch.ts";
import { type ProduceRules, validateBatches } from "../../../../../shared/kafka/records/validate-batches.ts";

const now = 1_700_000_000_000;
const rules: ProduceRules = {
  maxMessageBytes: 10_000,
  compressionType: "producer",
  messageTimestampType: "CreateTime",
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3_600_000,
};

const records = [
  { timestampMs: now - 10, value: Buffer.alloc(500, "a") },
  { timestampMs: now, value: Buffer.alloc(500, "a") },
];

/** A sound batch with something changed in its bytes, and the checksum made to fit. */
function batchWith(change: (bytes: Buffer) => void, wish: Partial<BatchToEncode> = {}): Buffer {
  const bytes = encodeBatch({ records, ...wish });
  change(bytes);
  new RecordBatchView(bytes).updateCrc();
  return bytes;
}

const same = () => undefined;

describe("what is refused", () => {
  test.each<[string, Buffer, string]>([
    ["no bytes", Buffer.alloc(0), "INVALID_RECORD"],
    ["magic 1", batchWith((bytes) => bytes.writeInt8(1, 16)), "INVALID_RECORD"],
    ["magic 0", batchWith((bytes) => bytes.writeInt8(0, 16)), "INVALID_RECORD"],
    ["two batches", Buffer.concat([batchWith(same), batchWith(same)]), "INVALID_RECORD"],
    ["a batch and some bytes", Buffer.concat([batchWith(same), Buffer.alloc(3)]), "INVALID_RECORD"],
    ["a torn batch", batchWith(same).subarray(0, -1), "CORRUPT_MESSAGE"],
    ["a header alone", batchWith(same).subarray(0, 61), "CORRUPT_MESSAGE"],
    [
      "a length below a header",
      Buffer.concat([Buffer.alloc(11), Buffer.of(10, 0, 0, 0, 0, 2), Buffer.alloc(60)]),
      "CORRUPT_MESSAGE",
    ],
    [
      "a wrong checksum",
      Buffer.from(batchWith(same).map((byte, at) => (at === 300 ? byte ^ 1 : byte))),
      "CORRUPT_MESSAGE",
    ],
    ["a base offset", batchWith((bytes) => bytes.writeInt32BE(1, 4)), "INVALID_RECORD"],
    ["no records", batchWith(same, { records: [] }), "INVALID_RECORD"],
    ["a count of 0", batchWith((bytes) => bytes.writeInt32BE(0, 57)), "INVALID_RECORD"],
    ["a count that does not fit the delta", batchWith((bytes) => bytes.writeInt32BE(3, 57)), "INVALID_RECORD"],
    ["a negative delta", batchWith((bytes) => bytes.writeInt32BE(-1, 23)), "INVALID_RECORD"],
    [
      "more records than bytes",
      batchWith((bytes) => {
        bytes.writeInt32BE(999, 23);
        bytes.writeInt32BE(1_000, 57);
      }),
      "INVALID_RECORD",
    ],
    ["a control batch", batchWith(same, { isControl: true }), "INVALID_RECORD"],
    ["a delete horizon", batchWith((bytes) => bytes.writeInt16BE(0x40, 21)), "INVALID_RECORD"],
    ["a producer without sequence", batchWith(same, { producerId: 5, producerEpoch: 0 }), "INVALID_RECORD"],
    ["a transaction without producer", batchWith(same, { isTransactional: true }), "INVALID_RECORD"],
    ["codec 5", batchWith((bytes) => bytes.writeInt16BE(5, 21)), "UNSUPPORTED_COMPRESSION_TYPE"],
    ["LogAppendTime", batchWith((bytes) => bytes.writeInt16BE(8, 21)), "INVALID_TIMESTAMP"],
    ["a time too far ahead", batchWith(same, { records: [{ timestampMs: now + 3_600_001 }] }), "INVALID_TIMESTAMP"],
    [
      "a largest time too far ahead",
      batchWith(same, { records: [{ timestampMs: now }, { timestampMs: now + 3_600_001 }] }),
      "INVALID_TIMESTAMP",
    ],
    ["too large", encodeBatch({ records: [{ timestampMs: now, value: Buffer.alloc(10_000) }] }), "MESSAGE_TOO_LARGE"],
  ])("%s", (_, bytes, error) => {
    expect(validateBatches(bytes, rules, now)).toMatchObject({ kind: "failed", error });
  });

  test("a time too far back, where the topic has such a limit", () => {
    const strict = { ...rules, messageTimestampBeforeMaxMs: 9 };
    expect(validateBatches(batchWith(same), strict, now)).toMatchObject({ kind: "failed", error: "INVALID_TIMESTAMP" });
    expect(validateBatches(batchWith(same), { ...strict, messageTimestampBeforeMaxMs: 10 }, now).kind).toBe("valid");
  });

  test("no damaged byte passes the checksum", () => {
    const sound = batchWith(same);
    for (let at = 16; at < sound.length; at += 1) {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] as number) ^ 0x20;
      expect(validateBatches(bytes, rules, now).kind).toBe("failed");
    }
  });
});

describe("what is taken", () => {
  test.each<[string, Partial<BatchToEncode>]>([
    ["a plain batch", {}],
    ["records without time", { records: [{ timestampMs: -1 }] }],
    ["gzip", { compression: 1 }],
    ["snappy", { compression: 2 }],
    ["lz4", { compression: 3 }],
    ["zstd", { compression: 4 }],
    ["an idempotent one", { producerId: 5, producerEpoch: 0, baseSequence: 0 }],
    ["a transactional one", { producerId: 5, producerEpoch: 0, baseSequence: 7, isTransactional: true }],
  ])("%s, as it is", (_, wish) => {
    const bytes = encodeBatch({ records, ...wish });
    const before = Buffer.from(bytes);
    const result = validateBatches(bytes, rules, now);
    expect(result.kind === "valid" && result.records === bytes && before.equals(bytes)).toBe(true);
  });

  test("LogAppendTime is given in place; the producer's times do not matter then", () => {
    const bytes = encodeBatch({ records: [{ timestampMs: now + 9_999_999 }] });
    const result = validateBatches(bytes, { ...rules, messageTimestampType: "LogAppendTime" }, now);
    expect(result).toEqual({ kind: "valid", records: bytes });
    const batch = new RecordBatchView(bytes);
    expect([batch.isLogAppendTime, batch.maxTimestamp, batch.isCrcValid]).toEqual([true, now, true]);
  });
});

describe("compression.type", () => {
  test.each(["uncompressed", "gzip", "snappy", "lz4", "zstd"] as const)(
    "to %s from every codec: same records, sound batch",
    (target) => {
      for (const compression of [0, 1, 2, 3, 4]) {
        const bytes = encodeBatch({ records, compression, producerId: 5, producerEpoch: 1, baseSequence: 3 });
        const result = validateBatches(bytes, { ...rules, compressionType: target }, now);
        const batch = new RecordBatchView(result.kind === "valid" ? result.records : Buffer.alloc(0));
        expect([batch.isWhole, batch.isCrcValid, batch.sizeBytes]).toEqual([true, true, batch.buffer.length]);
        expect(batch.compression).toBe({ uncompressed: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }[target]);
        expect([...decodeRecords(batch)]).toEqual([...decodeRecords(new RecordBatchView(bytes))]);
        expect([batch.producerId, batch.baseSequence]).toEqual([5, 3]);
      }
    },
  );

  test("what does not fit once recompressed is too large", () => {
    const bytes = encodeBatch({ records: [{ timestampMs: now, value: Buffer.alloc(20_000) }], compression: 4 });
    expect(validateBatches(bytes, { ...rules, compressionType: "uncompressed" }, now)).toMatchObject({
      kind: "failed",
      error: "MESSAGE_TOO_LARGE",
    });
  });

  test("damaged compressed records are found only then", () => {
    const bytes = batchWith((raw) => raw.fill(0xff, 70, 80), { compression: 1 });
    expect(validateBatches(bytes, rules, now).kind).toBe("valid");
    expect(validateBatches(bytes, { ...rules, compressionType: "zstd" }, now)).toMatchObject({
      kind: "failed",
      error: "CORRUPT_MESSAGE",
    });
  });
});
