/**
 * Whether every record of a batch has a key: what a compacted topic asks of its producers. A look at the first fields of
 * each record, which also finds out whether they are records at all: compaction has to be able to read them.
 */
import { CompressionError, decompress } from "./compression.ts";
import { recordBytesMin } from "./limits.ts";
import type { RecordBatchView } from "./record-batch.ts";

export type KeyCheck =
  | { readonly kind: "keyed" }
  /** Places in the batch of records without a key, ascending. */
  | { readonly kind: "keyless"; readonly records: readonly number[] }
  /** Not as many records as the header says, or not numbered from 0. `record`: the first that is not what it should be. */
  | { readonly kind: "malformed"; readonly record: number }
  /** The records cannot be unfolded. */
  | { readonly kind: "damaged"; readonly message: string };

const keyed: KeyCheck = { kind: "keyed" };

export function checkKeys(batch: RecordBatchView): KeyCheck {
  let bytes: Buffer;
  try {
    bytes = decompress(batch.compression, batch.records);
  } catch (error) {
    if (error instanceof CompressionError) return { kind: "damaged", message: error.message };
    throw error;
  }
  const count = batch.recordCount;
  const cursor = { bytes, at: 0 };
  let keyless: number[] | undefined;
  for (let index = 0; index < count; index += 1) {
    const length = varint(cursor);
    const end = cursor.at + length;
    if (!(length >= recordBytesMin - 1 && end <= bytes.length)) return { kind: "malformed", record: index };
    cursor.at += 1;
    skipVarint(cursor);
    const offsetDelta = varint(cursor);
    const keyLength = varint(cursor);
    if (offsetDelta !== index || !(cursor.at + keyLength <= end)) return { kind: "malformed", record: index };
    if (keyLength < 0) {
      keyless ??= [];
      keyless.push(index);
    }
    cursor.at = end;
  }
  if (cursor.at !== bytes.length) return { kind: "malformed", record: count };
  return keyless === undefined ? keyed : { kind: "keyless", records: keyless };
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** A zigzag varint of an int32; NaN, which fails every comparison, when there is none. */
function varint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 5; count += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) return Number.NaN;
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
  return Number.NaN;
}

/** A varint of an int64, whose value does not matter. */
function skipVarint(cursor: Cursor): void {
  for (let count = 0; count < 10; count += 1) {
    const byte = cursor.bytes[cursor.at];
    cursor.at += 1;
    if (byte === undefined || byte < 0x80) return;
  }
}
