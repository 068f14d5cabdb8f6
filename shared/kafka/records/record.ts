/**
 * Single records inside a batch. The plain produce and fetch path never comes here; look-ups by time, tools and tests do.
 *
 * A record: varint length of what follows, int8 attributes (unused), varlong timestamp delta, varint offset delta,
 * varint key length (-1: null) and key, varint value length (-1: null) and value, varint number of headers, and for each:
 * varint key length and key, varint value length (-1: null) and value. Varints are zigzag encoded.
 */
import { compress, decompress } from "./compression.ts";
import { decompressedBytesMax, recordBytesMin } from "./limits.ts";
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

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface DecodedRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

export interface TimedRecord {
  readonly offset: number;
  readonly timestampMs: number;
}

/** The bytes are no record. */
export class MalformedRecordError extends Error {
  override readonly name = "MalformedRecordError";
}

/**
 * The records of a whole batch, one by one. Throws a CompressionError when they cannot be unfolded within `bytesMax`, a
 * MalformedRecordError when they are not what the header says.
 */
export function* decodeRecords(batch: RecordBatchView, bytesMax = decompressedBytesMax): Generator<DecodedRecord> {
  const cursor = new RecordCursor(batch, bytesMax);
  while (cursor.next()) yield cursor.decode();
}

/** First record at or past `minOffset` with a timestamp >= `timestampMs`. Throws as `decodeRecords`. */
export function firstRecordSince(batch: RecordBatchView, timestampMs: number, minOffset = 0): TimedRecord | undefined {
  const cursor = new RecordCursor(batch, decompressedBytesMax);
  while (cursor.next()) {
    if (cursor.timestampMs < timestampMs || cursor.offset < minOffset) continue;
    return { offset: cursor.offset, timestampMs: cursor.timestampMs };
  }
  return undefined;
}

/** The first of the records at or past `minOffset` that have the largest timestamp of them. Throws as `decodeRecords`. */
export function newestRecord(batch: RecordBatchView, minOffset = 0): TimedRecord | undefined {
  const cursor = new RecordCursor(batch, decompressedBytesMax);
  let newest: TimedRecord | undefined;
  while (cursor.next()) {
    if (cursor.offset < minOffset) continue;
    if (newest !== undefined && cursor.timestampMs <= newest.timestampMs) continue;
    newest = { offset: cursor.offset, timestampMs: cursor.timestampMs };
  }
  return newest;
}

/** Walks the records of a batch; reads no more of each than its offset and time unless asked. */
class RecordCursor {
  offset = 0;
  timestampMs = 0;
  readonly #batch: RecordBatchView;
  readonly #bytes: Buffer;
  readonly #appendTimeMs: number | undefined;
  #left: number;
  /** Where to read on; after `next`, the key's length. */
  #at = 0;
  /** Where the current record ends. */
  #end = 0;

  constructor(batch: RecordBatchView, bytesMax: number) {
    this.#batch = batch;
    this.#bytes = decompress(batch.compression, batch.records, bytesMax);
    this.#left = batch.recordCount;
    this.#appendTimeMs = batch.isLogAppendTime ? batch.maxTimestamp : undefined;
    if (this.#left * recordBytesMin > this.#bytes.length) throw new MalformedRecordError("more records than bytes");
  }

  next(): boolean {
    this.#at = this.#end;
    if (this.#left <= 0) return false;
    this.#left -= 1;
    const length = this.#varint();
    this.#end = this.#at + length;
    if (length < recordBytesMin - 1 || this.#end > this.#bytes.length)
      throw new MalformedRecordError("a record's length");
    this.#at += 1;
    const timestampDelta = this.#varint();
    this.offset = this.#batch.baseOffset + this.#varint();
    this.timestampMs = this.#appendTimeMs ?? this.#batch.baseTimestamp + timestampDelta;
    return true;
  }

  decode(): DecodedRecord {
    const { offset, timestampMs } = this;
    const key = this.#nullable();
    const value = this.#nullable();
    const count = this.#varint();
    if (count < 0 || count > this.#end - this.#at) throw new MalformedRecordError("a record's number of headers");
    const headers: RecordHeader[] = [];
    for (let left = count; left > 0; left -= 1) {
      const name = this.#nullable();
      if (name === null) throw new MalformedRecordError("a header without key");
      headers.push({ key: name.toString("utf8"), value: this.#nullable() });
    }
    if (this.#at !== this.#end) throw new MalformedRecordError("a record's length");
    return { offset, timestampMs, key, value, headers };
  }

  #nullable(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const end = this.#at + length;
    if (end > this.#end) throw new MalformedRecordError("a field longer than its record");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** A zigzag varint of at most ten bytes; exact up to 53 bits, which all of ours are. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new MalformedRecordError("the records end inside a record");
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new MalformedRecordError("an overlong varint");
  }
}

export interface RecordToEncode {
  readonly timestampMs?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly RecordHeader[];
}

export interface BatchToEncode {
  readonly records: readonly RecordToEncode[];
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  /** Number in the attributes, see `compression.ts`. */
  readonly compression?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
}

/** Makes a batch as a producer would. Records without a timestamp get 0. */
export function encodeBatch(wish: BatchToEncode): Buffer {
  const { records, compression = 0 } = wish;
  const times = records.map((record) => record.timestampMs ?? 0);
  const baseTimestamp = times[0] ?? 0;
  const encoded = records.map((record, index) => encodeRecord(record, index, (times[index] as number) - baseTimestamp));
  const body = compress(compression, Buffer.concat(encoded));
  const batch = Buffer.alloc(batchHeaderBytes + body.length);
  const attributes = compression | (wish.isTransactional === true ? 0x10 : 0) | (wish.isControl === true ? 0x20 : 0);
  writeInt64(batch, 0, wish.baseOffset ?? 0);
  batch.writeInt32BE(batch.length - batchLengthPrefixBytes, 8);
  batch.writeInt32BE(wish.partitionLeaderEpoch ?? -1, 12);
  batch.writeInt8(batchMagic, 16);
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(records.length - 1, 23);
  writeInt64(batch, 27, baseTimestamp);
  writeInt64(batch, 35, times.length === 0 ? baseTimestamp : Math.max(...times));
  writeInt64(batch, 43, wish.producerId ?? noProducerId);
  batch.writeInt16BE(wish.producerEpoch ?? noProducerEpoch, 51);
  batch.writeInt32BE(wish.baseSequence ?? noSequence, 53);
  batch.writeInt32BE(records.length, 57);
  body.copy(batch, batchHeaderBytes);
  new RecordBatchView(batch).updateCrc();
  return batch;
}

function encodeRecord(record: RecordToEncode, offsetDelta: number, timestampDelta: number): Buffer {
  const headers = record.headers ?? [];
  const parts = [Buffer.of(0), varint(timestampDelta), varint(offsetDelta)];
  parts.push(...nullable(record.key ?? null), ...nullable(record.value ?? null), varint(headers.length));
  for (const header of headers) parts.push(...nullable(Buffer.from(header.key, "utf8")), ...nullable(header.value));
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

function nullable(bytes: Buffer | null): Buffer[] {
  return bytes === null ? [varint(-1)] : [varint(bytes.length), bytes];
}

/** Zigzag; exact up to 53 bits. */
export function varint(value: number): Buffer {
  let left = value >= 0 ? value * 2 : -value * 2 - 1;
  const bytes: number[] = [];
  while (left >= 128) {
    bytes.push((left % 128) | 0x80);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
