/**
 * Record batches as a client makes and reads them, written apart from the broker's own code so that a mistake there does
 * not hide itself. Every record's value begins with the record's id: who sent it, and the how-manieth it was.
 */
import { crc32c } from "@node-rs/crc32";

const headerBytes = 61;

export interface BatchToSend {
  readonly producerId: number;
  readonly baseSequence: number;
  readonly timestampMs: number;
  readonly recordIds: readonly string[];
  /** Filler after each id, so that segments fill up. */
  readonly paddingBytes: number;
}

export interface ReadRecord {
  readonly offset: number;
  readonly epoch: number;
  readonly id: string;
}

export function encodeBatch(batch: BatchToSend): Buffer {
  const padding = ".".repeat(batch.paddingBytes);
  const records = batch.recordIds.map((id, index) => encodeRecord(index, `${id}|${padding}`));
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

/** All records of whole batches; throws when the bytes are not such batches. */
export function decodeBatches(buffers: readonly Buffer[]): ReadRecord[] {
  const records: ReadRecord[] = [];
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length; ) at += decodeBatch(buffer, at, records);
  }
  return records;
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
    into.push({ offset: baseOffset + index, epoch, id: recordId(buffer, position + lengthBytes) });
    position += lengthBytes + length;
  }
  return size;
}

function recordId(buffer: Buffer, recordAt: number): string {
  // attributes, timestamp delta, offset delta, key length, value length: each one varint here but for the first byte.
  let at = recordAt + 1;
  for (let skipped = 0; skipped < 3; skipped += 1) at += readVarint(buffer, at)[1];
  const [valueLength, valueLengthBytes] = readVarint(buffer, at);
  at += valueLengthBytes;
  const bar = buffer.indexOf("|", at);
  if (bar < at || bar >= at + valueLength) throw new Error("a record that no producer of ours wrote");
  return buffer.toString("latin1", at, bar);
}

function encodeRecord(offsetDelta: number, value: string): Buffer {
  const valueBytes = Buffer.from(value, "latin1");
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    varint(-1),
    varint(valueBytes.length),
    valueBytes,
    varint(0),
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
