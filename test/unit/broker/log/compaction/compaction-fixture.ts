/** What the tests of compaction share: keyed chunks, one pass, and the records that a log holds. */

import { IoBudget } from "../../../../../broker/log/compaction/compaction-pace.ts";
import type { CompactionBounds } from "../../../../../broker/log/compaction/compaction-plan.ts";
import type { CompactionResult } from "../../../../../broker/log/compaction/compaction-run.ts";
import { KeyHash } from "../../../../../broker/log/compaction/key-hash.ts";
import type { CompactionMeans } from "../../../../../broker/log/compaction/log-compaction.ts";
import type { CompactionRules, LogChunk, Offset } from "../../../../../broker/log/log-contract.ts";
import type { PartitionLog } from "../../../../../broker/log/partition-log.ts";
import {
  type BatchToEncode,
  type DecodedRecord,
  decodeRecords,
  encodeBatch,
} from "../../../../../shared/kafka/records/record.ts";
import { wholeBatches } from "../../../../../shared/kafka/records/record-batch.ts";
import type { Clock } from "../../../../../shared/ports/clock.ts";
import { systemTimers } from "../../../../../shared/ports/timers.ts";
import { readAll, type TestLog } from "../log-fixture.ts";

export const rules: CompactionRules = {
  minDirtyRatio: 0.5,
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1_000,
};

/** `value` null: a tombstone. `key` null: none. */
export interface KeyedRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs?: number;
}

/** One batch at `baseOffset`. */
export function keyedChunk(
  baseOffset: Offset,
  records: readonly KeyedRecord[],
  wish: Partial<BatchToEncode> & { readonly epoch?: number; readonly startsSegment?: boolean } = {},
): LogChunk {
  const { epoch = 1, startsSegment = false } = wish;
  const bytes = encodeBatch({
    ...wish,
    baseOffset,
    partitionLeaderEpoch: epoch,
    records: records.map(({ key, value, timestampMs }, index) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestampMs: timestampMs ?? 1_000 + baseOffset + index,
      headers: [{ key: "h", value: Buffer.from(`${baseOffset + index}`) }],
    })),
  });
  return { baseOffset, endOffset: baseOffset + records.length, epoch, bytes, startsSegment };
}

const keys = new KeyHash(Buffer.from("0123456789abcdef"));

export function means(clock: Clock, change: Partial<CompactionMeans> = {}): CompactionMeans {
  const budget = new IoBudget();
  const bytesPerSecond = () => Number.POSITIVE_INFINITY;
  return { pace: { clock, timers: systemTimers, budget, bytesPerSecond }, mapBytesMax: 1_000_000, keys, ...change };
}

/** One pass over all that is sealed, unless said otherwise. */
export function compact(
  world: TestLog,
  log: PartitionLog,
  change: Partial<CompactionBounds> & Partial<CompactionMeans> = {},
): Promise<CompactionResult> {
  const bounds = {
    wallMs: world.clock.wallMs(),
    settledOffset: log.endOffset,
    tombstonesKeptFrom: Number.POSITIVE_INFINITY,
    ...change,
  };
  return log.compact(bounds, means(world.clock, change));
}

/** Checks that batches cover the log without a hole, and gives back what is in them. */
export function recordsOf(bytes: Buffer, startOffset: Offset): DecodedRecord[] {
  const records: DecodedRecord[] = [];
  let expected: Offset | undefined;
  for (const batch of wholeBatches(bytes)) {
    if (!batch.isCrcValid) throw new Error(`the checksum of the batch at ${batch.baseOffset} is wrong`);
    if (expected !== undefined && batch.baseOffset !== expected) {
      throw new Error(`a hole: ${batch.baseOffset} after ${expected}`);
    }
    expected = batch.endOffset;
    for (const record of decodeRecords(batch)) if (record.offset >= startOffset) records.push(record);
  }
  return records;
}

/** What a follower would copy: the whole log as it is stored. */
export async function storedBytes(log: PartitionLog): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = log.startOffset; at < log.endOffset; ) {
    const chunks = await log.readChunks(at, 1_000_000);
    if (chunks.length === 0) throw new Error(`nothing to copy at ${at} of ${log.endOffset}`);
    for (const chunk of chunks) {
      parts.push(chunk.bytes);
      at = chunk.endOffset;
    }
  }
  return Buffer.concat(parts);
}

/** `key=value` of all records, as a consumer reads them. */
export async function contents(log: PartitionLog): Promise<string[]> {
  const records = recordsOf(await storedBytes(log), log.startOffset);
  const read = new Map<Offset, DecodedRecord>();
  if (log.endOffset > log.startOffset) {
    for (const batch of wholeBatches(await readAll(log))) {
      for (const record of decodeRecords(batch)) if (record.offset >= log.startOffset) read.set(record.offset, record);
    }
  }
  if (read.size !== records.length) throw new Error("a consumer does not read what a follower copies");
  return records.map(({ offset, key, value }) => `${offset}:${String(key)}=${String(value)}`);
}
