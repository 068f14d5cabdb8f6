/** Walks the records of one batch, as far as compaction has to see them: where each lies, its key, its time. No object a record. */
import { CompressionError, decompress } from "../../../shared/kafka/records/compression.ts";
import { recordBytesMin } from "../../../shared/kafka/records/limits.ts";
import type { RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";

const nothing = Buffer.alloc(0);

/** Times further than this from 1970 (70,000 years) cannot be counted from another base without loss. */
const timeMax = 2 ** 51;

export class RecordWalk {
  /** The records, unfolded. */
  bytes: Buffer = nothing;
  /** The record that `next` came to is bytes [start, end). */
  start = 0;
  end = 0;
  /** Where its fields begin: past its length. */
  body = 0;
  timestampDelta = 0;
  /** Where the field after the timestamp begins. */
  timestampEnd = 0;
  offsetDelta = -1;
  keyStart = 0;
  /** Negative: null. */
  keyLength = 0;
  isTombstone = false;
  #left = 0;
  #count = 0;
  #at = 0;

  /**
   * Begins with a whole batch; false when its records are not what the header says, or cannot be unfolded or told exactly:
   * such a batch is left as it is.
   */
  begin(batch: RecordBatchView): boolean {
    if (Math.abs(batch.baseTimestamp) > timeMax || batch.recordCount < 0) return false;
    try {
      this.bytes = decompress(batch.compression, batch.records);
    } catch (error) {
      if (error instanceof CompressionError) return false;
      throw error;
    }
    this.#count = batch.recordCount;
    this.rewind();
    let left = this.#count;
    while (left > 0 && this.next()) left -= 1;
    const isSound = left === 0 && this.#at === this.bytes.length && this.offsetDelta <= batch.lastOffsetDelta;
    this.rewind();
    return isSound;
  }

  rewind(): void {
    this.#left = this.#count;
    this.#at = 0;
    this.offsetDelta = -1;
  }

  /** Lets go of the records' memory. */
  clear(): void {
    this.bytes = nothing;
    this.#count = 0;
    this.rewind();
  }

  /** Comes to the next record; false past the last, and at one that is damaged. */
  next(): boolean {
    if (this.#left <= 0) return false;
    this.#left -= 1;
    const before = this.offsetDelta;
    this.start = this.#at;
    const length = this.#varint();
    this.body = this.#at;
    this.end = this.body + length;
    if (!(length >= recordBytesMin - 1 && this.end <= this.bytes.length)) return false;
    this.#at += 1;
    this.timestampDelta = this.#varint();
    this.timestampEnd = this.#at;
    this.offsetDelta = this.#varint();
    this.keyLength = this.#varint();
    this.keyStart = this.#at;
    this.#at += Math.max(this.keyLength, 0);
    const valueLength = this.#varint();
    this.isTombstone = valueLength < 0;
    const fieldsEnd = this.#at + Math.max(valueLength, 0);
    this.#at = this.end;
    return fieldsEnd <= this.end && this.offsetDelta > before && Math.abs(this.timestampDelta) <= timeMax;
  }

  /** A zigzag varint; NaN, which fails every comparison, when there is none or it is beyond 53 bits. */
  #varint(): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = bytes[this.#at];
      if (byte === undefined) return Number.NaN;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    return Number.NaN;
  }
}
