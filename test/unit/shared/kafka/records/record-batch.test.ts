import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../../../../shared/kafka/records/crc32c.ts";
import {
  decodeRecords,
  encodeBatch,
  firstRecordSince,
  newestRecord,
} from "../../../../../shared/kafka/records/record.ts";
import {
  addToSequence,
  batchSizeAt,
  RecordBatchView,
  readInt64,
  wholeBatches,
  writeInt64,
} from "../../../../../shared/kafka/records/record-batch.ts";

/** Made by another implementation (kafkajs 2.2.4): two records, the first with a header; plain, then gzip. */
const plain = Buffer.from(
  "00000000000000000000004900000000021495753d0000000000010000018bcfe568000000018bcfe568070000000000000fa0" +
    "00020000000a0000000220000000026b0a76616c756502026802780c000e02010100",
  "hex",
);
const gzipped = Buffer.from(
  "00000000000000000000005d00000000025fb0e21b0001000000010000018bcfe568000000018bcfe568070000000000000fa0" +
    "00020000000a000000021f8b08000000000000035360606060cae62a4bcc294d6562ca60aae061e0636264640000d73d318718000000",
  "hex",
);

test("CRC-32C: the known check value, also piece by piece", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.from("6789"), crc32c(Buffer.from("12345")))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(0), 5)).toBe(5);
});

describe("RecordBatchView", () => {
  test("reads every field where it lies", () => {
    const batch = new RecordBatchView(Buffer.concat([Buffer.alloc(7), plain]), 7);
    expect(batch.isWhole).toBe(true);
    expect(batch.isCrcValid).toBe(true);
    expect({
      sizeBytes: batch.sizeBytes,
      baseOffset: batch.baseOffset,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      magic: batch.magic,
      attributes: batch.attributes,
      lastOffsetDelta: batch.lastOffsetDelta,
      baseTimestamp: batch.baseTimestamp,
      maxTimestamp: batch.maxTimestamp,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      recordCount: batch.recordCount,
      endOffset: batch.endOffset,
    }).toEqual({
      sizeBytes: plain.length,
      baseOffset: 0,
      partitionLeaderEpoch: 0,
      magic: 2,
      attributes: 0,
      lastOffsetDelta: 1,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_007,
      producerId: 4_000,
      producerEpoch: 2,
      baseSequence: 10,
      lastSequence: 11,
      recordCount: 2,
      endOffset: 2,
    });
  });

  test("offset and leader epoch are set in place, outside the checksum", () => {
    const bytes = Buffer.from(plain);
    const batch = new RecordBatchView(bytes);
    batch.baseOffset = 2 ** 40 + 5;
    batch.partitionLeaderEpoch = 77;
    expect([batch.baseOffset, batch.lastOffset, batch.partitionLeaderEpoch]).toEqual([2 ** 40 + 5, 2 ** 40 + 6, 77]);
    expect(batch.isCrcValid).toBe(true);
    expect(bytes.subarray(16)).toEqual(plain.subarray(16));
  });

  test("LogAppendTime sets attribute, maximum timestamp and checksum", () => {
    const batch = new RecordBatchView(Buffer.from(plain));
    batch.setLogAppendTime(1_800_000_000_000);
    expect([batch.isLogAppendTime, batch.maxTimestamp, batch.isCrcValid]).toEqual([true, 1_800_000_000_000, true]);
    expect([...decodeRecords(batch)].map((record) => record.timestampMs)).toEqual([
      1_800_000_000_000, 1_800_000_000_000,
    ]);
  });

  test("no buffer that was cut short holds a whole batch", () => {
    for (let length = 0; length < plain.length; length += 1) {
      expect(new RecordBatchView(plain.subarray(0, length)).isWhole).toBe(false);
    }
  });

  test("a length that no batch has gives size 0", () => {
    for (const length of [-1, 0, 48, -2_147_483_648]) {
      const bytes = Buffer.from(plain);
      bytes.writeInt32BE(length, 8);
      expect(batchSizeAt(bytes, 0)).toBe(0);
    }
  });

  test("wholeBatches ends at the first place where none is", () => {
    const buffer = Buffer.concat([plain, gzipped, plain.subarray(0, 80)]);
    expect([...wholeBatches(buffer)].map((batch) => batch.position)).toEqual([0, plain.length]);
  });

  test("int64: what is written is read, up to 53 bits and below zero; larger values read as the largest", () => {
    const bytes = Buffer.alloc(8);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        writeInt64(bytes, 0, value);
        expect(bytes.readBigInt64BE(0)).toBe(BigInt(value));
        expect(readInt64(bytes, 0)).toBe(value);
      }),
    );
    bytes.writeBigInt64BE(2n ** 63n - 1n);
    expect(readInt64(bytes, 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    [0, 1, 1],
    [2_147_483_647, 1, 0],
    [2_147_483_640, 10, 2],
  ])("addToSequence(%i, %i)", (sequence, delta, expected) => {
    expect(addToSequence(sequence, delta)).toBe(expected);
  });
});

describe("records", () => {
  test.each([
    ["plain", plain],
    ["gzip", gzipped],
  ])("of another implementation are decoded: %s", (_, bytes) => {
    expect([...decodeRecords(new RecordBatchView(bytes))]).toEqual([
      {
        offset: 0,
        timestampMs: 1_700_000_000_000,
        key: Buffer.from("k"),
        value: Buffer.from("value"),
        headers: [{ key: "h", value: Buffer.from("x") }],
      },
      { offset: 1, timestampMs: 1_700_000_000_007, key: null, value: null, headers: [] },
    ]);
  });

  test("encodeBatch makes the same bytes", () => {
    const records = [
      {
        timestampMs: 1_700_000_000_000,
        key: Buffer.from("k"),
        value: Buffer.from("value"),
        headers: [{ key: "h", value: Buffer.from("x") }],
      },
      { timestampMs: 1_700_000_000_007 },
    ];
    const made = encodeBatch({
      records,
      partitionLeaderEpoch: 0,
      producerId: 4_000,
      producerEpoch: 2,
      baseSequence: 10,
    });
    expect(made.toString("hex")).toBe(plain.toString("hex"));
  });

  test("what is decoded is what was encoded, in every codec", () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
    const record = fc.record({
      timestampMs: fc.integer({ min: -5, max: 2 ** 45 }),
      key: bytes,
      value: bytes,
      headers: fc.array(fc.record({ key: fc.string(), value: bytes }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(0, 1, 2, 3, 4),
        (records, compression) => {
          const batch = new RecordBatchView(encodeBatch({ records, compression, baseOffset: 12 }));
          const decoded = [...decodeRecords(batch)];
          expect(decoded).toEqual(records.map((each, index) => ({ offset: 12 + index, ...each })));
          expect(batch.isCrcValid).toBe(true);
        },
      ),
    );
  });

  test("by time: the first at or after, and the first of the newest", () => {
    const records = [5, 9, 3, 9, 1].map((timestampMs) => ({ timestampMs }));
    const batch = new RecordBatchView(encodeBatch({ records, baseOffset: 100 }));
    expect(firstRecordSince(batch, 6)).toEqual({ offset: 101, timestampMs: 9 });
    expect(firstRecordSince(batch, 6, 102)).toEqual({ offset: 103, timestampMs: 9 });
    expect(firstRecordSince(batch, 10)).toBeUndefined();
    expect(newestRecord(batch)).toEqual({ offset: 101, timestampMs: 9 });
    expect(newestRecord(batch, 104)).toEqual({ offset: 104, timestampMs: 1 });
  });

  test.each([1, 2, 3, 4])("a bomb is not unfolded past the bound, codec %i", (compression) => {
    const batch = new RecordBatchView(encodeBatch({ records: [{ value: Buffer.alloc(2_000_000) }], compression }));
    expect(batch.sizeBytes).toBeLessThan(200_000);
    expect(() => [...decodeRecords(batch, 1_000_000)]).toThrow(
      expect.objectContaining({ code: "DAMAGED_OR_TOO_LARGE" }),
    );
  });

  test("a codec that is not known is an error of its own", () => {
    const bytes = Buffer.from(plain);
    bytes.writeInt16BE(6, 21);
    expect(() => [...decodeRecords(new RecordBatchView(bytes))]).toThrow(
      expect.objectContaining({ code: "CODEC_UNKNOWN" }),
    );
  });

  test("no damage inside makes anything but an error or other records", () => {
    fc.assert(
      fc.property(fc.integer({ min: 57, max: plain.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(plain);
        bytes[at] = (bytes[at] as number) ^ flip;
        try {
          expect([...decodeRecords(new RecordBatchView(bytes))].length).toBeLessThanOrEqual(10);
        } catch (error) {
          expect((error as Error).name).toBe("MalformedRecordError");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
