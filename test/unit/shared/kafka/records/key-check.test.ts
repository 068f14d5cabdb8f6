import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkKeys } from "../../../../../shared/kafka/records/key-check.ts";
import { encodeBatch } from "../../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../../shared/kafka/records/record-batch.ts";
import { validateBatches } from "../../../../../shared/kafka/records/validate-batches.ts";

const batchOf = (keys: readonly (string | null)[], compression = 0, timestampMs = 0) =>
  new RecordBatchView(
    encodeBatch({
      compression,
      records: keys.map((key, index) => ({
        key: key === null ? null : Buffer.from(key),
        value: index % 2 === 0 ? null : Buffer.from("v"),
        timestampMs: timestampMs + index * 3_000_000_000,
      })),
    }),
  );

describe("checkKeys", () => {
  test("finds the records without a key, whatever the codec", () => {
    const keys = fc.array(fc.option(fc.string({ maxLength: 200 }), { nil: null }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 4 }), (all, codec) => {
        const missing = all.flatMap((key, index) => (key === null ? [index] : []));
        const expected = missing.length === 0 ? { kind: "keyed" } : { kind: "keyless", records: missing };
        expect(checkKeys(batchOf(all, codec))).toEqual(expected);
      }),
    );
  });

  test("tells records that are none; never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 4 }), (place, byte, codec) => {
        const batch = batchOf(["a", "bc", "", "def"], codec);
        const records = batch.buffer.subarray(61);
        records[place % records.length] = byte;
        expect(["keyed", "keyless", "malformed", "damaged"]).toContain(checkKeys(batch).kind);
      }),
    );
    const more = batchOf(["a", "b"]);
    more.buffer.writeInt32BE(3, 57);
    expect(checkKeys(more)).toEqual({ kind: "malformed", record: 2 });
    more.buffer.writeInt32BE(1, 57);
    expect(checkKeys(more)).toEqual({ kind: "malformed", record: 1 });
  });
});

test("a compacted topic refuses a batch for its records without a key, and names each (KIP-467)", () => {
  const rules = {
    maxMessageBytes: 1_000_000,
    compressionType: "producer",
    messageTimestampType: "CreateTime",
    messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
    messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  } as const;
  const { buffer } = batchOf(["a", null, "b", null, null, null]);
  expect(validateBatches(buffer, rules, 0).kind).toBe("valid");
  expect(validateBatches(buffer, { ...rules, cleanupPolicy: ["delete"] }, 0).kind).toBe("valid");
  const refused = validateBatches(buffer, { ...rules, cleanupPolicy: ["compact"] }, 0);
  expect(refused).toMatchObject({ kind: "failed", error: "INVALID_RECORD" });
  const errors = refused.kind === "failed" ? (refused.recordErrors ?? []) : [];
  expect(errors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3, 4, 5]);
  expect(errors[0]?.message).toBe("Compacted topic cannot accept message without key.");
  expect(validateBatches(batchOf(["a", "b"], 4).buffer, { ...rules, cleanupPolicy: ["compact"] }, 0).kind).toBe(
    "valid",
  );
});
