/**
 * Producer states as bytes: the file `<offset>.snapshot` beside the segment that begins there, and a part of the state
 * file. Big-endian:
 *
 *    0 uint32 magic "BLFP"      8 int64  offset: the states after all batches below it
 *    4 uint16 version (1)      16 uint32 number of producers
 *    6 uint16 zero             20 producers:
 *        int64 producer id, int16 epoch, int64 first offset of the open transaction (-1: none), int64 last seen (ms),
 *        uint8 number of batches, then of each, oldest first:
 *          int32 base sequence, int32 last sequence, int64 base offset, int64 end offset, int64 timestamp (ms)
 *   then uint32 CRC-32C of all before
 *
 * A snapshot file can be made again from an older one and the batches since, so it is not synced by itself.
 */
import { crc32c } from "../../shared/kafka/records/crc32c.ts";
import { readInt64, writeInt64 } from "../../shared/kafka/records/record-batch.ts";
import { batchesPerProducer } from "./limits.ts";
import { type AppendedBatch, type ProducerState, ProducerStates } from "./producer-states.ts";

const magic = 0x424c4650;
const version = 1;
const headerBytes = 20;
const producerBytes = 27;
const batchBytes = 32;
const checksumBytes = 4;

export function encodeProducerSnapshot(offset: number, producers: ProducerStates): Buffer {
  let size = headerBytes;
  for (const state of producers.all()) size += producerBytes + state.batches.length * batchBytes;
  const bytes = Buffer.alloc(size + checksumBytes);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt16BE(version, 4);
  writeInt64(bytes, 8, offset);
  bytes.writeUInt32BE(producers.size, 16);
  let at = headerBytes;
  for (const state of producers.all()) at = writeProducer(bytes, at, state);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, size)), size);
  return bytes;
}

function writeProducer(bytes: Buffer, start: number, state: ProducerState): number {
  writeInt64(bytes, start, state.producerId);
  bytes.writeInt16BE(state.epoch, start + 8);
  writeInt64(bytes, start + 10, state.transactionStart);
  writeInt64(bytes, start + 18, Math.trunc(state.lastSeenMs));
  bytes.writeUInt8(state.batches.length, start + 26);
  let at = start + producerBytes;
  for (const batch of state.batches) {
    bytes.writeInt32BE(batch.baseSequence, at);
    bytes.writeInt32BE(batch.lastSequence, at + 4);
    writeInt64(bytes, at + 8, batch.baseOffset);
    writeInt64(bytes, at + 16, batch.endOffset);
    writeInt64(bytes, at + 24, batch.timestampMs);
    at += batchBytes;
  }
  return at;
}

/** Undefined when the bytes are not a whole snapshot, or one of a version that this build does not know. */
export function decodeProducerSnapshot(
  bytes: Buffer,
): { readonly offset: number; readonly producers: ProducerStates } | undefined {
  const size = bytes.length - checksumBytes;
  if (size < headerBytes || bytes.readUInt32BE(0) !== magic || bytes.readUInt16BE(4) !== version) return undefined;
  if (crc32c(bytes.subarray(0, size)) !== bytes.readUInt32BE(size)) return undefined;
  const states: ProducerState[] = [];
  let at = headerBytes;
  for (let left = bytes.readUInt32BE(16); left > 0; left -= 1) {
    if (at + producerBytes > size) return undefined;
    const count = bytes.readUInt8(at + 26);
    if (count > batchesPerProducer || at + producerBytes + count * batchBytes > size) return undefined;
    states.push({
      producerId: readInt64(bytes, at),
      epoch: bytes.readInt16BE(at + 8),
      transactionStart: readInt64(bytes, at + 10),
      lastSeenMs: readInt64(bytes, at + 18),
      batches: Array.from({ length: count }, (_, index) => readBatch(bytes, at + producerBytes + index * batchBytes)),
    });
    at += producerBytes + count * batchBytes;
  }
  return at === size ? { offset: readInt64(bytes, 8), producers: ProducerStates.of(states) } : undefined;
}

function readBatch(bytes: Buffer, at: number): AppendedBatch {
  return {
    baseSequence: bytes.readInt32BE(at),
    lastSequence: bytes.readInt32BE(at + 4),
    baseOffset: readInt64(bytes, at + 8),
    endOffset: readInt64(bytes, at + 16),
    timestampMs: readInt64(bytes, at + 24),
  };
}
