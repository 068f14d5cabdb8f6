/**
 * What is left of one batch when its log is compacted: a function of its bytes, of the newest offset of each key, and of
 * the time. Nothing is left out but
 *
 *   - a record that a newer one of the same key has replaced
 *   - a record without key (the topic was not compacted when it was written), as in Kafka
 *   - a tombstone whose horizon has passed (KIP-534): `delete.retention.ms` after the pass that first met it
 *   - what lies below the log's start
 *
 * Never touched: control batches and those of transactions, whose outcome nobody tells here; batches whose records cannot
 * be read; those that would become larger than a log takes (a horizon makes the times of records longer). Those that end
 * past the part of the log that the map covers keep every record from there on.
 */
import { compress } from "../../../shared/kafka/records/compression.ts";
import { varint } from "../../../shared/kafka/records/record.ts";
import {
  batchHeaderBytes,
  batchLengthPrefixBytes,
  RecordBatchView,
  writeInt64,
} from "../../../shared/kafka/records/record-batch.ts";
import { batchBytesMax } from "../limits.ts";
import type { Offset } from "../log-contract.ts";
import type { KeyHash } from "./key-hash.ts";
import type { OffsetMap } from "./offset-map.ts";
import { RecordWalk } from "./record-walk.ts";

/** What decides in one pass. */
export interface CleaningRules {
  readonly keys: KeyHash;
  readonly map: OffsetMap;
  /** The log's start: nothing below is served any more. */
  readonly from: Offset;
  /** The map knows of all below; from there on everything stays. */
  readonly to: Offset;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  /** Tombstones from here on stay, whatever their age: there is a follower that has yet to copy them. */
  readonly tombstonesKeptFrom: Offset;
}

export type CleanedBatch =
  | { readonly kind: "same" }
  /** No record is left; the header may still be of use to its producer. */
  | { readonly kind: "empty" }
  | { readonly kind: "rewritten"; readonly bytes: Buffer };

const same: CleanedBatch = { kind: "same" };
const empty: CleanedBatch = { kind: "empty" };
const lengthAt = 8;
const attributesAt = 21;
const baseTimestampAt = 27;
const maxTimestampAt = 35;
const recordCountAt = 57;
const compressionMask = 0x07;
const horizonFlag = 0x40;

export class BatchCleaner {
  /** Records left out so far. */
  recordsRemoved = 0;
  /** One past the newest tombstone that went for its age; 0 when none did. */
  tombstonesGoneBelow = 0;
  /** Of the tombstones that stay; -1 when there is none. */
  newestHorizonMs = -1;
  readonly #rules: CleaningRules;
  readonly #walk = new RecordWalk();
  readonly #out = new RecordBatchView(Buffer.alloc(0));

  constructor(rules: CleaningRules) {
    this.#rules = rules;
  }

  /** The batch must be whole and sound. */
  clean(batch: RecordBatchView): CleanedBatch {
    const { from, to } = this.#rules;
    if (batch.baseOffset >= to || batch.isControl || batch.isTransactional) return same;
    if (batch.recordCount === 0) return empty;
    if (batch.endOffset <= from) {
      this.recordsRemoved += batch.recordCount;
      return empty;
    }
    try {
      return this.#walk.begin(batch) ? this.#cleanRecords(batch) : same;
    } finally {
      this.#walk.clear();
    }
  }

  #cleanRecords(batch: RecordBatchView): CleanedBatch {
    const { nowMs, deleteRetentionMs, to } = this.#rules;
    const walk = this.#walk;
    const ranges: number[] = [];
    const isDue = batch.hasDeleteHorizon && batch.baseTimestamp <= nowMs;
    const baseOffset = batch.baseOffset;
    let kept = 0;
    let hasTombstones = false;
    let newest = Number.NEGATIVE_INFINITY;
    while (walk.next()) {
      if (!this.#keeps(baseOffset + walk.offsetDelta, isDue)) continue;
      kept += 1;
      hasTombstones ||= walk.isTombstone;
      newest = Math.max(newest, batch.baseTimestamp + walk.timestampDelta);
      if (ranges.length > 0 && ranges.at(-1) === walk.start) ranges[ranges.length - 1] = walk.end;
      else ranges.push(walk.start, walk.end);
    }
    const removed = batch.recordCount - kept;
    if (kept === 0) {
      this.recordsRemoved += removed;
      return empty;
    }
    const setsHorizon = hasTombstones && !batch.hasDeleteHorizon && batch.endOffset <= to;
    const horizonMs = setsHorizon ? nowMs + deleteRetentionMs : batch.baseTimestamp;
    let cleaned: CleanedBatch = same;
    if (removed > 0 || setsHorizon) {
      const records = setsHorizon ? this.#rebased(ranges, batch.baseTimestamp - horizonMs) : this.#parts(ranges);
      const bytes = this.#rewritten(batch, records, { kept, newest, horizonMs, setsHorizon });
      if (bytes.length > batchBytesMax + batchLengthPrefixBytes) return same;
      cleaned = { kind: "rewritten", bytes };
    }
    this.recordsRemoved += removed;
    if (hasTombstones && (setsHorizon || batch.hasDeleteHorizon)) {
      this.newestHorizonMs = Math.max(this.newestHorizonMs, horizonMs);
    }
    return cleaned;
  }

  /** Does the record that the walk is at stay? `isDue`: its batch's delete horizon has passed. */
  #keeps(offset: Offset, isDue: boolean): boolean {
    const { from, to, keys, map, tombstonesKeptFrom } = this.#rules;
    const walk = this.#walk;
    if (offset >= to) return true;
    if (offset < from || walk.keyLength < 0) return false;
    keys.hash(walk.bytes, walk.keyStart, walk.keyStart + walk.keyLength);
    if (map.get(keys.words) > offset) return false;
    if (!walk.isTombstone || !isDue || offset >= tombstonesKeptFrom) return true;
    this.tombstonesGoneBelow = Math.max(this.tombstonesGoneBelow, offset + 1);
    return false;
  }

  /** The records in the ranges `[start, end, start, end, …]`, as they are. */
  #parts(ranges: readonly number[]): Buffer {
    const parts: Buffer[] = [];
    for (let index = 0; index < ranges.length; index += 2) {
      parts.push(this.#walk.bytes.subarray(ranges[index], ranges[index + 1]));
    }
    return Buffer.concat(parts);
  }

  /** The records in the ranges, their times counted from another base, which lies `shift` before theirs. */
  #rebased(ranges: readonly number[], shift: number): Buffer {
    const walk = this.#walk;
    const parts: Buffer[] = [];
    walk.rewind();
    let index = 0;
    while (walk.next()) {
      while (walk.start >= (ranges[index + 1] ?? Number.POSITIVE_INFINITY)) index += 2;
      if (walk.start < (ranges[index] ?? Number.POSITIVE_INFINITY)) continue;
      const time = varint(walk.timestampDelta + shift);
      const rest = walk.bytes.subarray(walk.timestampEnd, walk.end);
      const attributes = walk.bytes.subarray(walk.body, walk.body + 1);
      parts.push(varint(attributes.length + time.length + rest.length), attributes, time, rest);
    }
    return Buffer.concat(parts);
  }

  #rewritten(
    batch: RecordBatchView,
    records: Buffer,
    change: {
      readonly kept: number;
      readonly newest: number;
      readonly horizonMs: number;
      readonly setsHorizon: boolean;
    },
  ): Buffer {
    const body = compress(batch.compression, records);
    const bytes = Buffer.allocUnsafeSlow(batchHeaderBytes + body.length);
    batch.buffer.copy(bytes, 0, batch.position, batch.position + batchHeaderBytes);
    body.copy(bytes, batchHeaderBytes);
    bytes.writeInt32BE(bytes.length - batchLengthPrefixBytes, lengthAt);
    bytes.writeInt32BE(change.kept, recordCountAt);
    if (change.setsHorizon) {
      bytes.writeInt16BE(batch.attributes | horizonFlag, attributesAt);
      writeInt64(bytes, baseTimestampAt, change.horizonMs);
    }
    // Under LogAppendTime the header's is the time of all records.
    if (!batch.isLogAppendTime) writeInt64(bytes, maxTimestampAt, change.newest);
    this.#out.moveTo(bytes, 0).updateCrc();
    return bytes;
  }
}

/** The header of a batch of which no record is left, for the sake of its producer's sequence. */
export function emptiedHeader(batch: RecordBatchView): Buffer {
  const bytes = Buffer.from(batch.buffer.subarray(batch.position, batch.position + batchHeaderBytes));
  bytes.writeInt32BE(batchHeaderBytes - batchLengthPrefixBytes, lengthAt);
  bytes.writeInt16BE(batch.attributes & ~(compressionMask | horizonFlag), attributesAt);
  writeInt64(bytes, baseTimestampAt, batch.maxTimestamp);
  bytes.writeInt32BE(0, recordCountAt);
  new RecordBatchView(bytes).updateCrc();
  return bytes;
}
