/**
 * Record batches as a client makes and reads them, written apart from the broker's own code so that a mistake there does
 * not hide itself. Every record's value begins with the record's id: who sent it, and the how-manieth it was. A record with a
 * key has its id in a header too: a tombstone has no value.
 */
import { crc32c } from "@node-rs/crc32";

const headerBytes = 61;

export interface BatchToSend {
  readonly producerId: number;
  readonly baseSequence: number;
  readonly timestampMs: number;
  readonly recordIds: readonly string[];
  /** One for each record; left out: without keys. */
  readonly keys?: readonly RecordKey[] | undefined;
  /** Filler after each id, so that segments fill up. */
  readonly paddingBytes: number;
}

export interface RecordKey {
  readonly key: string;
  readonly isTombstone: boolean;
}

export interface ReadRecord {
  readonly offset: number;
  readonly epoch: number;
  readonly id: string;
  readonly key: string | null;
  readonly isTombstone: boolean;
}

/** What whole batches hold, and the offsets that they cover: compaction leaves batches without records. */
export interface ReadBatches {
  readonly records: readonly ReadRecord[];
  /** Of the first batch; -1 without any. */
  readonly baseOffset: number;
  /** One past the last offset of the last batch; -1 without any. */
  readonly endOffset: number;
}

export function encodeBatch(batch: BatchToSend): Buffer {
  const padding = ".".repeat(batch.paddingBytes);
  const records = batch.recordIds.map((id, index) => encodeRecord(index, `${id}|${padding}`, batch.keys?.[index]));
  const body = Buffer.concat(records);
  const out = Buffer.alloc(headerBytes + body.length);
  out.writeBigInt64BE(0n, 0);
  out.writeInt32BE(out.length - 12, 8);
  out.writeInt32BE(-1, 12);
  out.writeInt8(2, 16);
  out.writeInt16BE(0, 21);
  out.writeInt32BE(batch.recordIds.length - 1, 23);
  out.writeBigInt64BE(BigInt(batch.timestampMs), 27);
  out.writeBigInt64BE(BigInt(batch.timestampMs), 35);
  out.writeBigInt64BE(BigInt(batch.producerId), 43);
  out.writeInt16BE(batch.producerId < 0 ? -1 : 0, 51);
  out.writeInt32BE(batch.baseSequence, 53);
  out.writeInt32BE(batch.recordIds.length, 57);
  body.copy(out, headerBytes);
  out.writeUInt32BE(crc32c(out.subarray(21)), 17);
  return out;
}

/** Whole batches that follow one another; throws when the bytes are no such batches, or leave an offset out. */
export function decodeBatches(buffers: readonly Buffer[]): ReadBatches {
  const records: ReadRecord[] = [];
  let baseOffset = -1;
  let endOffset = -1;
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length; ) {
      const size = decodeBatch(buffer, at, records);
      const base = Number(buffer.readBigInt64BE(at));
      if (endOffset >= 0 && base !== endOffset)
        throw new Error(`a batch at ${base} after one that ends at ${endOffset}`);
      if (baseOffset < 0) baseOffset = base;
      endOffset = base + buffer.readInt32BE(at + 23) + 1;
      at += size;
    }
  }
  return { records, baseOffset, endOffset };
}

function decodeBatch(buffer: Buffer, at: number, into: ReadRecord[]): number {
  if (buffer.length - at < headerBytes) throw new Error("half a batch header was served");
  const size = buffer.readInt32BE(at + 8) + 12;
  if (size > buffer.length - at) throw new Error("half a batch was served");
  if (crc32c(buffer.subarray(at + 21, at + size)) !== buffer.readUInt32BE(at + 17))
    throw new Error("a batch fails its CRC");
  const baseOffset = Number(buffer.readBigInt64BE(at));
  const epoch = buffer.readInt32BE(at + 12);
  const count = buffer.readInt32BE(at + 57);
  let position = at + headerBytes;
  for (let index = 0; index < count; index += 1) {
    const [length, lengthBytes] = readVarint(buffer, position);
    into.push({ epoch, ...decodeRecord(buffer, position + lengthBytes, baseOffset) });
    position += lengthBytes + length;
  }
  if (position !== at + size) throw new Error("a batch does not end with its last record");
  return size;
}

function decodeRecord(buffer: Buffer, recordAt: number, baseOffset: number): Omit<ReadRecord, "epoch"> {
  let at = recordAt + 1;
  const next = (): number => {
    const [value, bytes] = readVarint(buffer, at);
    at += bytes;
    return value;
  };
  const text = (length: number): string => {
    at += Math.max(length, 0);
    return buffer.toString("latin1", at - Math.max(length, 0), at);
  };
  next();
  const offset = baseOffset + next();
  const keyLength = next();
  const key = keyLength < 0 ? null : text(keyLength);
  const valueLength = next();
  const value = text(valueLength);
  const headers = next();
  if (headers > 0) text(next());
  const id = headers > 0 ? text(next()) : value.slice(0, value.indexOf("|"));
  const isOurs = valueLength < 0 ? headers > 0 : value.startsWith(`${id}|`);
  if (id === "" || !isOurs) throw new Error("a record that no producer of ours wrote");
  return { offset, id, key, isTombstone: valueLength < 0 };
}

function encodeRecord(offsetDelta: number, value: string, key: RecordKey | undefined): Buffer {
  const field = (text: string): Buffer[] => [varint(text.length), Buffer.from(text, "latin1")];
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    ...(key === undefined ? [varint(-1)] : field(key.key)),
    ...(key?.isTombstone === true ? [varint(-1)] : field(value)),
    ...(key === undefined ? [varint(0)] : [varint(1), ...field("id"), ...field(value.slice(0, value.indexOf("|")))]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** Zigzag, as in Kafka's records. */
function varint(value: number): Buffer {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  const bytes: number[] = [];
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function readVarint(buffer: Buffer, at: number): [value: number, bytes: number] {
  let raw = 0;
  let factor = 1;
  for (let index = 0; index < 5; index += 1) {
    const byte = buffer.readUInt8(at + index);
    raw += (byte & 0x7f) * factor;
    if (byte < 0x80) return [raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, index + 1];
    factor *= 128;
  }
  throw new Error("a varint that does not end");
}
