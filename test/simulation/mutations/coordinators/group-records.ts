import { BatchBuilder } from "../../../../shared/kafka/records/batch-builder.ts";
import { decodeRecords } from "../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../shared/kafka/records/record-batch.ts";

/** First byte of the keys under which groups (not their offsets) are stored: docs/formats/group-log.md. */
const groupKind = 2;

export function holdsGroups(batch: Buffer): boolean {
  for (const { key } of decodeRecords(new RecordBatchView(batch))) if (key?.[0] === groupKind) return true;
  return false;
}

/** The batch without the records of groups; undefined when nothing is left. */
export function withoutGroups(batch: Buffer, wallMs: number): Buffer | undefined {
  const builder = new BatchBuilder();
  let left = 0;
  for (const { key, value } of decodeRecords(new RecordBatchView(batch))) {
    if (key === null || key[0] === groupKind) continue;
    builder.add(Buffer.from(key), value === null ? null : Buffer.from(value));
    left += 1;
  }
  return left === 0 ? undefined : builder.build(wallMs);
}
