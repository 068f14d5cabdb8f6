import { describe, expect, test } from "vitest";
import { isPlausible } from "../../../../../broker/log/batch-scanner.ts";
import { BatchCleaner } from "../../../../../broker/log/compaction/batch-cleaning.ts";
import { hashSecretBytes, KeyHash } from "../../../../../broker/log/compaction/key-hash.ts";
import { OffsetMap } from "../../../../../broker/log/compaction/offset-map.ts";
import { batchBytesMax } from "../../../../../broker/log/limits.ts";
import { encodeBatch } from "../../../../../shared/kafka/records/record.ts";
import { batchLengthPrefixBytes, RecordBatchView } from "../../../../../shared/kafka/records/record-batch.ts";

function cleaner(): BatchCleaner {
  return new BatchCleaner({
    keys: new KeyHash(Buffer.alloc(hashSecretBytes)),
    map: new OffsetMap(10, 1_000),
    from: 0,
    to: 1_000,
    nowMs: 1_700_000_000_000,
    deleteRetentionMs: 1,
    tombstonesKeptFrom: Number.POSITIVE_INFINITY,
  });
}

/** A tombstone and a record that fills the batch up to `bytes`. */
function batchOf(bytes: number): RecordBatchView {
  const encode = (valueBytes: number) =>
    encodeBatch({
      records: [
        { key: Buffer.from("gone"), value: null },
        { key: Buffer.from("k"), value: Buffer.alloc(valueBytes) },
      ],
      partitionLeaderEpoch: 1,
    });
  const guess = bytes - 100;
  return new RecordBatchView(encode(guess + bytes - encode(guess).length));
}

describe("a batch whose records' times are counted from a horizon", () => {
  const largest = batchBytesMax + batchLengthPrefixBytes;

  test("is a little larger than it was", () => {
    const cleaned = cleaner().clean(batchOf(1_000));
    if (cleaned.kind !== "rewritten") throw new Error(`it is ${cleaned.kind}`);
    expect(cleaned.bytes.length).toBeGreaterThan(1_000);
    expect(isPlausible(new RecordBatchView(cleaned.bytes))).toBe(true);
  });

  test("stays as it is rather than become one that no log believes in", () => {
    const batch = batchOf(largest);
    expect(batch.sizeBytes).toBe(largest);
    const cleaning = cleaner();
    expect(cleaning.clean(batch).kind).toBe("same");
    // Nothing is due for a horizon that was not set.
    expect(cleaning.newestHorizonMs).toBe(-1);
  });
});
