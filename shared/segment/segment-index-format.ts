/**
 * The index file of one segment, `<base offset>.index`: where some of its batches begin. Big-endian:
 *
 *    0 uint32 magic "BLFI"     8 int64  base offset of the segment
 *    4 uint16 version (1)     16 uint32 bytes of the segment that the index covers
 *    6 uint16 zero            20 uint32 number of entries
 *   24 entries of 16 bytes:
 *        uint32 offset of a batch, less the base offset
 *        uint32 position of that batch in the segment, in bytes
 *        int64  largest timestamp of all batches before it; -1 when none has any
 *   then uint32 CRC-32C of all before
 *
 * Entries ascend in offset and position, and never fall in timestamp. Written once when the segment is sealed (and now
 * and then before, for the part that is there). It can be made again from the segment, so nobody trusts one whose
 * checksum is wrong, and nobody syncs it.
 */
import { crc32c } from "../kafka/records/crc32c.ts";
import { readInt64, writeInt64 } from "../kafka/records/record-batch.ts";

const magic = 0x424c4649;
const version = 1;
const headerBytes = 24;
const entryBytes = 16;
const checksumBytes = 4;

/** The entries as columns of equal length; entry `i` is the `i`th of each. */
export interface IndexColumns {
  readonly count: number;
  /** Offset of a batch, less the segment's base offset. */
  readonly offsets: Uint32Array;
  readonly positions: Uint32Array;
  /** Largest timestamp of all batches before, in ms. */
  readonly timestamps: Float64Array;
}

export function encodeSegmentIndex(baseOffset: number, coveredBytes: number, columns: IndexColumns): Buffer {
  const size = headerBytes + columns.count * entryBytes;
  const bytes = Buffer.alloc(size + checksumBytes);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt16BE(version, 4);
  writeInt64(bytes, 8, baseOffset);
  bytes.writeUInt32BE(coveredBytes, 16);
  bytes.writeUInt32BE(columns.count, 20);
  for (let index = 0; index < columns.count; index += 1) {
    const at = headerBytes + index * entryBytes;
    bytes.writeUInt32BE(columns.offsets[index] as number, at);
    bytes.writeUInt32BE(columns.positions[index] as number, at + 4);
    writeInt64(bytes, at + 8, columns.timestamps[index] as number);
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, size)), size);
  return bytes;
}

/** Undefined when the bytes are not a whole index of the segment at `baseOffset`: it is to be made again. */
export function decodeSegmentIndex(
  bytes: Buffer,
  baseOffset: number,
): { readonly coveredBytes: number; readonly columns: IndexColumns } | undefined {
  if (bytes.length < headerBytes + checksumBytes) return undefined;
  if (bytes.readUInt32BE(0) !== magic || bytes.readUInt16BE(4) !== version) return undefined;
  const count = bytes.readUInt32BE(20);
  const size = headerBytes + count * entryBytes;
  // A longer file is one that was written over with a shorter index; the checksum says whether that is whole.
  if (bytes.length < size + checksumBytes) return undefined;
  if (crc32c(bytes.subarray(0, size)) !== bytes.readUInt32BE(size)) return undefined;
  if (readInt64(bytes, 8) !== baseOffset) return undefined;
  const offsets = new Uint32Array(count);
  const positions = new Uint32Array(count);
  const timestamps = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const at = headerBytes + index * entryBytes;
    offsets[index] = bytes.readUInt32BE(at);
    positions[index] = bytes.readUInt32BE(at + 4);
    timestamps[index] = readInt64(bytes, at + 8);
  }
  return { coveredBytes: bytes.readUInt32BE(16), columns: { count, offsets, positions, timestamps } };
}
