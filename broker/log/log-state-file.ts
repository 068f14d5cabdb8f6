/**
 * The file `log.state` of a log: its last checkpoint. Always replaced as a whole (old or new, never half) and synced.
 * Big-endian:
 *
 *    0 uint32 magic "BLFS"      8 int64 log start offset
 *    4 uint16 version (1 to 3) 16 int64 checkpoint offset
 *    6 uint16 flags: bit 0 = a cut is under way
 *   24 uint32 number of segments, then of each:
 *        int64 base offset, int64 end offset, uint32 bytes, int64 largest timestamp (-1: none), int64 created (ms)
 *        from version 2: uint32 generation, how often compaction has rewritten it
 *      uint32 number of leader epochs, then of each: int32 epoch, int64 start offset
 *      uint32 length of the producer snapshot, and the snapshot
 *      from version 2: int64 compacted to, int64 tombstones gone below, int64 newest delete horizon (ms; -1: none)
 *      from version 3: int64 cleaned to
 *      uint32 CRC-32C of all before
 *
 * Each is written in the oldest version that has a place for all of it, so that older builds open it too: version 1 when it
 * was never compacted, 3 only while a pass is under way, or has not ended well.
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
  /** How often compaction has rewritten it; a part of its files' names. */
  readonly generation: number;
}

/** What compaction has done to a log. */
export interface CompactionState {
  /** All below was taken in by a pass that ended: no value is left there that a newer one below has replaced. */
  readonly compactedTo: number;
  /**
   * As far as passes have looked, also those that did not end: below may be missing what a newer record up to here has
   * replaced. Never below `compactedTo`.
   */
  readonly cleanedTo: number;
  /** One past the newest tombstone that was removed for its age: whoever copies must not begin below with old records. */
  readonly tombstonesGoneBelow: number;
  /** When the last of the tombstones that are left may go (the broker's clock, ms); -1 when none is left. */
  readonly newestHorizonMs: number;
}

export const notCompacted: CompactionState = {
  compactedTo: 0,
  cleanedTo: 0,
  tombstonesGoneBelow: 0,
  newestHorizonMs: -1,
};

export interface LogState {
  readonly startOffset: number;
  readonly checkpointOffset: number;
  readonly cutPending: boolean;
  /** Ascending; the last one ends at the checkpoint offset. */
  readonly segments: readonly SegmentSummary[];
  readonly epochs: EpochHistory;
  /** See `producer-snapshot.ts`. */
  readonly producers: Buffer;
  readonly compaction: CompactionState;
}

const magic = 0x424c4653;
const plainVersion = 1;
const compactedVersion = 2;
const cleanedVersion = 3;
const cutFlag = 1;
const headerBytes = 28;
const segmentBytes = 36;
const generationBytes = 4;
const epochBytes = 12;
const countBytes = 4;
const compactionBytes = 24;
const cleanedBytes = 8;

/** The oldest version that can tell all of it. */
function versionOf({ compaction, segments }: LogState): number {
  const { compactedTo, cleanedTo, tombstonesGoneBelow, newestHorizonMs } = compaction;
  if (cleanedTo > compactedTo) return cleanedVersion;
  const isCompacted =
    compactedTo > 0 ||
    tombstonesGoneBelow > 0 ||
    newestHorizonMs >= 0 ||
    segments.some(({ generation }) => generation > 0);
  return isCompacted ? compactedVersion : plainVersion;
}

export function encodeLogState(state: LogState): Buffer {
  const { segments, producers, compaction } = state;
  const epochs = state.epochs.entries;
  const version = versionOf(state);
  const compacted = version >= compactedVersion;
  const summaryBytes = segmentBytes + (compacted ? generationBytes : 0);
  const size =
    headerBytes +
    segments.length * summaryBytes +
    countBytes +
    epochs.length * epochBytes +
    countBytes +
    producers.length +
    (compacted ? compactionBytes : 0) +
    (version >= cleanedVersion ? cleanedBytes : 0);
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
    if (compacted) bytes.writeUInt32BE(segment.generation, at + segmentBytes);
    at += summaryBytes;
  }
  at = bytes.writeUInt32BE(epochs.length, at);
  for (const entry of epochs) {
    at = bytes.writeInt32BE(entry.epoch, at);
    writeInt64(bytes, at, entry.startOffset);
    at += 8;
  }
  at = bytes.writeUInt32BE(producers.length, at);
  at += producers.copy(bytes, at);
  if (compacted) {
    writeInt64(bytes, at, compaction.compactedTo);
    writeInt64(bytes, at + 8, compaction.tombstonesGoneBelow);
    writeInt64(bytes, at + 16, Math.trunc(compaction.newestHorizonMs));
  }
  if (version >= cleanedVersion) writeInt64(bytes, at + compactionBytes, compaction.cleanedTo);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, size)), size);
  return bytes;
}

/** Undefined when the bytes are not a whole state file of a version that this build knows. */
export function decodeLogState(bytes: Buffer): LogState | undefined {
  const size = bytes.length - countBytes;
  if (size < headerBytes || bytes.readUInt32BE(0) !== magic) return undefined;
  const version = bytes.readUInt16BE(4);
  if (version < plainVersion || version > cleanedVersion) return undefined;
  if (crc32c(bytes.subarray(0, size)) !== bytes.readUInt32BE(size)) return undefined;
  const compacted = version >= compactedVersion;
  const segments: SegmentSummary[] = [];
  let at = headerBytes;
  for (let left = bytes.readUInt32BE(24); left > 0; left -= 1) {
    segments.push({
      baseOffset: readInt64(bytes, at),
      endOffset: readInt64(bytes, at + 8),
      sizeBytes: bytes.readUInt32BE(at + 16),
      maxTimestamp: readInt64(bytes, at + 20),
      createdMs: readInt64(bytes, at + 28),
      generation: compacted ? bytes.readUInt32BE(at + segmentBytes) : 0,
    });
    at += segmentBytes + (compacted ? generationBytes : 0);
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
    compaction: compacted ? readCompaction(bytes, at + producerBytes, version) : notCompacted,
  };
}

function readCompaction(bytes: Buffer, at: number, version: number): CompactionState {
  const compactedTo = readInt64(bytes, at);
  return {
    compactedTo,
    cleanedTo: version >= cleanedVersion ? readInt64(bytes, at + compactionBytes) : compactedTo,
    tombstonesGoneBelow: readInt64(bytes, at + 8),
    newestHorizonMs: readInt64(bytes, at + 16),
  };
}
