/**
 * Batches without records, which only compaction makes. A *filler* covers a run of offsets of one leader epoch of which no
 * record is left: a log never has holes. The header of a producer's newest batch stays instead, for its sequence number.
 */
import assert from "node:assert/strict";
import {
  batchHeaderBytes,
  batchLengthPrefixBytes,
  batchMagic,
  noProducerEpoch,
  noProducerId,
  noSequence,
  noTimestamp,
  RecordBatchView,
  writeInt64,
} from "../../shared/kafka/records/record-batch.ts";
import type { Offset } from "./log-contract.ts";

const recordCountAt = 57;

/** The last offset delta is an int32. */
export const fillerOffsetsMax = 2_147_483_647;

export function isFiller(batch: RecordBatchView): boolean {
  return batch.recordCount === 0 && !batch.hasProducerId;
}

/** A filler over [baseOffset, endOffset). */
export function encodeFiller(range: {
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  readonly epoch: number;
}): Buffer {
  const { baseOffset, endOffset, epoch } = range;
  const offsets = endOffset - baseOffset;
  assert(offsets > 0 && offsets <= fillerOffsetsMax, "a filler covers at least one offset, and an int32 counts them");
  const bytes = Buffer.alloc(batchHeaderBytes);
  writeInt64(bytes, 0, baseOffset);
  bytes.writeInt32BE(batchHeaderBytes - batchLengthPrefixBytes, 8);
  bytes.writeInt32BE(epoch, 12);
  bytes.writeInt8(batchMagic, 16);
  bytes.writeInt32BE(offsets - 1, 23);
  writeInt64(bytes, 27, noTimestamp);
  writeInt64(bytes, 35, noTimestamp);
  writeInt64(bytes, 43, noProducerId);
  bytes.writeInt16BE(noProducerEpoch, 51);
  bytes.writeInt32BE(noSequence, 53);
  new RecordBatchView(bytes).updateCrc();
  return bytes;
}

/** Makes a filler that holds `offset` begin there, in place; leaves any other batch as it is. */
export function beginFillerAt(batch: RecordBatchView, offset: Offset): void {
  const { baseOffset, endOffset } = batch;
  if (offset <= baseOffset || offset >= endOffset || !isFiller(batch)) return;
  batch.baseOffset = offset;
  batch.lastOffsetDelta = endOffset - offset - 1;
  batch.updateCrc();
}

/** Is there a record in the first batch? As in nearly every read. */
export function beginsWithRecord(buffers: readonly Buffer[]): boolean {
  const [first] = buffers;
  return first !== undefined && first.readInt32BE(recordCountAt) > 0;
}

/** Whole batches from the first that has a record on; `emptyTo` is where those before it end, -1 when there is none. */
export function fromFirstRecord(buffers: readonly Buffer[]): {
  readonly buffers: readonly Buffer[];
  readonly emptyTo: Offset;
} {
  const batch = new RecordBatchView(nothing);
  let emptyTo = -1;
  for (const [index, bytes] of buffers.entries()) {
    for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
      if (batch.moveTo(bytes, at).recordCount > 0) {
        if (emptyTo < 0) return { buffers, emptyTo };
        return { buffers: [bytes.subarray(at), ...buffers.slice(index + 1)], emptyTo };
      }
      emptyTo = batch.endOffset;
    }
  }
  return { buffers: [], emptyTo };
}

const nothing = Buffer.alloc(0);
