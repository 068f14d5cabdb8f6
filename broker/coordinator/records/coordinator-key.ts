/**
 * Keys of the records in the internal partitions (docs/formats/group-log.md). Each begins with its kind and its tenant,
 * so that nothing of two tenants can share a key. Ordinals of kinds are never used again.
 *
 *   key    := kind(u8) lkcBytes(u8) lkc groupBytes(u16) group rest
 *   offset := kind 1, rest: topicId(16 bytes) partition(i32)      value: offset-value.ts
 *   group  := kind 2, rest: nothing                               value: ../group/group-value.ts
 *
 * Big-endian; a null value deletes.
 */
import type { LogicalClusterId, TopicId } from "../../../shared/metadata/records/record.ts";

const offsetKind = 1;
const groupKind = 2;

const topicIdBytes = 16;
const partitionBytes = 4;

export interface OffsetKey {
  readonly kind: "offset";
  readonly lkc: LogicalClusterId;
  readonly groupId: string;
  readonly topicId: TopicId;
  readonly partition: number;
}

export interface GroupKey {
  readonly kind: "group";
  readonly lkc: LogicalClusterId;
  readonly groupId: string;
}

export type CoordinatorKey = OffsetKey | GroupKey;

/** A record that no coordinator of this version wrote: it was written by a newer one, or the partition is damaged. */
export class CoordinatorRecordError extends Error {
  override readonly name = "CoordinatorRecordError";
  readonly code = "COORDINATOR_RECORD_UNKNOWN";
}

export function encodeKey(key: CoordinatorKey): Buffer {
  const lkc = Buffer.from(key.lkc, "latin1");
  const groupBytes = Buffer.byteLength(key.groupId);
  const restBytes = key.kind === "offset" ? topicIdBytes + partitionBytes : 0;
  const encoded = Buffer.allocUnsafe(4 + lkc.length + groupBytes + restBytes);
  encoded.writeUInt8(key.kind === "offset" ? offsetKind : groupKind, 0);
  encoded.writeUInt8(lkc.length, 1);
  lkc.copy(encoded, 2);
  let at = 2 + lkc.length;
  encoded.writeUInt16BE(groupBytes, at);
  at += 2;
  encoded.write(key.groupId, at);
  at += groupBytes;
  if (key.kind === "offset") {
    encoded.write(key.topicId, at, topicIdBytes, "hex");
    encoded.writeInt32BE(key.partition, at + topicIdBytes);
  }
  return encoded;
}

/** Throws a CoordinatorRecordError for bytes that `encodeKey` did not make. */
export function decodeKey(encoded: Buffer): CoordinatorKey {
  const kind = encoded[0];
  if (kind !== offsetKind && kind !== groupKind)
    throw new CoordinatorRecordError(`a record of kind ${String(kind)} is not known to this version`);
  const lkcEnd = 2 + (encoded[1] ?? 0);
  if (encoded.length < lkcEnd + 2) throw new CoordinatorRecordError("a key ends inside its tenant");
  const lkc = encoded.toString("latin1", 2, lkcEnd);
  const groupEnd = lkcEnd + 2 + encoded.readUInt16BE(lkcEnd);
  const restBytes = kind === offsetKind ? topicIdBytes + partitionBytes : 0;
  if (encoded.length !== groupEnd + restBytes) throw new CoordinatorRecordError("a key has the wrong length");
  const groupId = encoded.toString("utf8", lkcEnd + 2, groupEnd);
  if (kind === groupKind) return { kind: "group", lkc, groupId };
  const topicId = encoded.toString("hex", groupEnd, groupEnd + topicIdBytes);
  return { kind: "offset", lkc, groupId, topicId, partition: encoded.readInt32BE(groupEnd + topicIdBytes) };
}
