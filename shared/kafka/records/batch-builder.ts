/** Makes one uncompressed batch out of keyed records, for the broker's own records: one buffer, no object a record. */
import {
  batchHeaderBytes,
  batchLengthPrefixBytes,
  batchMagic,
  noProducerEpoch,
  noProducerId,
  noSequence,
  RecordBatchView,
  writeInt64,
} from "./record-batch.ts";

const firstBufferBytes = 1_024;
/** Attributes, the varints of a record of ours, and its number of headers, at most. */
const recordOverheadBytesMax = 32;

export class BatchBuilder {
  #buffer = Buffer.allocUnsafe(firstBufferBytes);
  #end = batchHeaderBytes;
  #count = 0;

  get recordCount(): number {
    return this.#count;
  }

  /** Bytes of the batch so far. */
  get sizeBytes(): number {
    return this.#end;
  }

  /** A null value is a tombstone. */
  add(key: Buffer, value: Buffer | null): void {
    const valueBytes = value === null ? 0 : value.length;
    this.#reserve(key.length + valueBytes + recordOverheadBytesMax);
    // Attributes, a timestamp delta of 0 and no headers are a byte each.
    const bodyBytes =
      3 +
      varintBytes(this.#count) +
      varintBytes(key.length) +
      key.length +
      varintBytes(value === null ? -1 : valueBytes) +
      valueBytes;
    this.#varint(bodyBytes);
    this.#buffer[this.#end++] = 0;
    this.#buffer[this.#end++] = 0;
    this.#varint(this.#count);
    this.#varint(key.length);
    this.#end += key.copy(this.#buffer, this.#end);
    this.#varint(value === null ? -1 : valueBytes);
    if (value !== null) this.#end += value.copy(this.#buffer, this.#end);
    this.#buffer[this.#end++] = 0;
    this.#count += 1;
  }

  /** The batch, with offsets from 0 on; the builder is used up. All records carry this time. */
  build(timestampMs: number): Buffer {
    const batch = this.#buffer.subarray(0, this.#end);
    writeInt64(batch, 0, 0);
    batch.writeInt32BE(batch.length - batchLengthPrefixBytes, 8);
    batch.writeInt32BE(-1, 12);
    batch.writeInt8(batchMagic, 16);
    batch.writeInt16BE(0, 21);
    batch.writeInt32BE(this.#count - 1, 23);
    writeInt64(batch, 27, timestampMs);
    writeInt64(batch, 35, timestampMs);
    writeInt64(batch, 43, noProducerId);
    batch.writeInt16BE(noProducerEpoch, 51);
    batch.writeInt32BE(noSequence, 53);
    batch.writeInt32BE(this.#count, 57);
    new RecordBatchView(batch).updateCrc();
    return batch;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }

  /** Zigzag, as records have it. */
  #varint(value: number): void {
    let left = value >= 0 ? value * 2 : -value * 2 - 1;
    while (left >= 128) {
      this.#buffer[this.#end++] = (left % 128) | 0x80;
      left = Math.floor(left / 128);
    }
    this.#buffer[this.#end++] = left;
  }
}

function varintBytes(value: number): number {
  let left = value >= 0 ? value * 2 : -value * 2 - 1;
  let bytes = 1;
  while (left >= 128) {
    left = Math.floor(left / 128);
    bytes += 1;
  }
  return bytes;
}
