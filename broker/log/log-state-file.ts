/**
 * The file `log.state` of a log: its last checkpoint. Always replaced as a whole (old or new, never half) and synced.
 * Big-endian:
 *
 *    0 uint32 magic "BLFS"      8 int64 log start offset
 *    4 uint16 version (1)      16 int64 checkpoint offset
 *    6 uint16 flags: bit 0 = a cut is under way
 *   24 uint32 number of segments, then of each:
 *        int64 base offset, int64 end offset, uint32 bytes, int64 largest timestamp (-1: none), int64 created (ms)
 *      uint32 number of leader epochs, then of each: int32 epoch, int64 start offset
 *      uint32 length of the producer snapshot, and the snapshot
 *      uint32 CRC-32C of all before
 *
 * All below the checkpoint offset was synced before the file was written, and segments, epochs and producers are those
 * of the log up to exactly there. What the files hold beyond is found by scanning. With the cut flag, all that the files
 * hold beyond is void: the cut that had begun is to be finished before anything else.
 */
import { crc32c } from "../../shared/kafka/records/crc32c.ts";
import { readInt64, writeInt64 } from "../../shared/kafka/records/record-batch.ts";
import { EpochHistory } from "./epoch-history.ts";

export interface SegmentSummary {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly sizeBytes: number;
  /** -1 when no record has a timestamp. */
  readonly maxTimestamp: number;
  /** The broker's clock when the segment was begun. */
  readonly createdMs: number;
}

export interface LogState {
  readonly startOffset: number;
  readonly checkpointOffset: number;
  readonly cutPending: boolean;
  /** Ascending; the last one ends at the checkpoint offset. */
  readonly segments: readonly SegmentSummary[];
  readonly epochs: EpochHistory;
  /** See `producer-snapshot.ts`. */
  readonly producers: Buffer;
}

const magic = 0x424c4653;
const version = 1;
const cutFlag = 1;
const headerBytes = 28;
const segmentBytes = 36;
const epochBytes = 12;
const countBytes = 4;

export function encodeLogState(state: LogState): Buffer {
  const { segments, producers } = state;
  const epochs = state.epochs.entries;
  const size =
    headerBytes +
    segments.length * segmentBytes +
    countBytes +
    epochs.length * epochBytes +
    countBytes +
    producers.length;
  const bytes = Buffer.alloc(size + countBytes);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt16BE(version, 4);
  bytes.writeUInt16BE(state.cutPending ? cutFlag : 0, 6);
  writeInt64(bytes, 8, state.startOffset);
  writeInt64(bytes, 16, state.checkpointOffset);
  bytes.writeUInt32BE(segments.length, 24);
  let at = headerBytes;
  for (const segment of segments) {
    writeInt64(bytes, at, segment.baseOffset);
    writeInt64(bytes, at + 8, segment.endOffset);
    bytes.writeUInt32BE(segment.sizeBytes, at + 16);
    writeInt64(bytes, at + 20, segment.maxTimestamp);
    writeInt64(bytes, at + 28, Math.trunc(segment.createdMs));
    at += segmentBytes;
  }
  at = bytes.writeUInt32BE(epochs.length, at);
  for (const entry of epochs) {
    at = bytes.writeInt32BE(entry.epoch, at);
    writeInt64(bytes, at, entry.startOffset);
    at += 8;
  }
  at = bytes.writeUInt32BE(producers.length, at);
  producers.copy(bytes, at);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, size)), size);
  return bytes;
}

/** Undefined when the bytes are not a whole state file of a version that this build knows. */
export function decodeLogState(bytes: Buffer): LogState | undefined {
  const size = bytes.length - countBytes;
  if (size < headerBytes || bytes.readUInt32BE(0) !== magic || bytes.readUInt16BE(4) !== version) return undefined;
  if (crc32c(bytes.subarray(0, size)) !== bytes.readUInt32BE(size)) return undefined;
  const segments: SegmentSummary[] = [];
  let at = headerBytes;
  for (let left = bytes.readUInt32BE(24); left > 0; left -= 1) {
    segments.push({
      baseOffset: readInt64(bytes, at),
      endOffset: readInt64(bytes, at + 8),
      sizeBytes: bytes.readUInt32BE(at + 16),
      maxTimestamp: readInt64(bytes, at + 20),
      createdMs: readInt64(bytes, at + 28),
    });
    at += segmentBytes;
  }
  const epochs: { epoch: number; startOffset: number }[] = [];
  const epochCount = bytes.readUInt32BE(at);
  at += countBytes;
  for (let left = epochCount; left > 0; left -= 1) {
    epochs.push({ epoch: bytes.readInt32BE(at), startOffset: readInt64(bytes, at + 4) });
    at += epochBytes;
  }
  const producerBytes = bytes.readUInt32BE(at);
  at += countBytes;
  return {
    startOffset: readInt64(bytes, 8),
    checkpointOffset: readInt64(bytes, 16),
    cutPending: (bytes.readUInt16BE(6) & cutFlag) !== 0,
    segments,
    epochs: EpochHistory.of(epochs),
    producers: bytes.subarray(at, at + producerBytes),
  };
}
