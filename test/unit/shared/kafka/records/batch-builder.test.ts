import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchBuilder } from "../../../../../shared/kafka/records/batch-builder.ts";
import { decodeRecords, encodeBatch } from "../../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../../shared/kafka/records/record-batch.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const records = fc.array(fc.record({ key: bytes(300), value: fc.option(bytes(20_000)) }), {
  minLength: 1,
  maxLength: 80,
});

test("makes the batch that a producer would have made of the same records", () => {
  fc.assert(
    fc.property(records, (wanted) => {
      const builder = new BatchBuilder();
      for (const { key, value } of wanted) builder.add(key, value);

      const batch = builder.build(1_234);

      const asProduced = encodeBatch({ records: wanted.map((record) => ({ ...record, timestampMs: 1_234 })) });
      expect(batch.equals(asProduced)).toBe(true);
      expect([...decodeRecords(new RecordBatchView(batch))]).toHaveLength(wanted.length);
    }),
    { numRuns: 50 },
  );
});
