/**
 * A committed offset as it is stored (docs/formats/group-log.md); written once, replaced as a whole.
 *
 *   value := version(u8 = 0) offset(i64) leaderEpoch(i32) commitMs(i64) expireMs(i64) metadata(UTF-8, to the end)
 */
import { readInt64, writeInt64 } from "../../../shared/kafka/records/record-batch.ts";
import { CoordinatorRecordError } from "./coordinator-key.ts";

const version = 0;
const fixedBytes = 29;

export interface OffsetValue {
  /** The next record that the group wants to read. */
  readonly offset: number;
  /** Leader epoch of the last record consumed, as the client knew it; -1: not told. */
  readonly leaderEpoch: number;
  /** Wall time of the commit, milliseconds since the Unix epoch. */
  readonly commitMs: number;
  /** Wall time after which it goes whatever the group does (retention of OffsetCommit v2 to v4); -1: by the cell's rule. */
  readonly expireMs: number;
  /** What the client wants to remember; empty: nothing. */
  readonly metadata: string;
}

export function encodeOffsetValue(value: OffsetValue): Buffer {
  const encoded = Buffer.allocUnsafe(fixedBytes + Buffer.byteLength(value.metadata));
  encoded.writeUInt8(version, 0);
  writeInt64(encoded, 1, value.offset);
  encoded.writeInt32BE(value.leaderEpoch, 9);
  writeInt64(encoded, 13, value.commitMs);
  writeInt64(encoded, 21, value.expireMs);
  encoded.write(value.metadata, fixedBytes);
  return encoded;
}

/** Throws a CoordinatorRecordError for bytes that `encodeOffsetValue` did not make. */
export function decodeOffsetValue(encoded: Buffer): OffsetValue {
  if (encoded[0] !== version || encoded.length < fixedBytes)
    throw new CoordinatorRecordError(`an offset of version ${String(encoded[0])} is not known to this version`);
  return {
    offset: readInt64(encoded, 1),
    leaderEpoch: encoded.readInt32BE(9),
    commitMs: readInt64(encoded, 13),
    expireMs: readInt64(encoded, 21),
    metadata: encoded.toString("utf8", fixedBytes),
  };
}
