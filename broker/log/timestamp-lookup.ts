/** Offsets by time (ListOffsets): the index narrows it down to a few batches, then the records of one batch decide. */
import { firstRecordSince, newestRecord, type TimedRecord } from "../../shared/kafka/records/record.ts";
import { batchLengthPrefixBytes, RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import { scanBatches } from "./batch-scanner.ts";
import { batchBytesMax } from "./limits.ts";
import type { Offset } from "./log-contract.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { withFile } from "./open-files.ts";
import type { Segment } from "./segment.ts";

export interface TimedOffset {
  readonly offset: Offset;
  readonly timestampMs: number;
  /** Leader epoch that wrote the record. */
  readonly epoch: number;
}

/** The log as it is searched; all below `bound` is written. */
export interface SearchedLog {
  readonly segments: readonly Segment[];
  readonly startOffset: Offset;
  readonly bound: Offset;
  readonly indexIntervalBytes: number;
}

/** First record, in offset order, whose timestamp is >= `timestampMs`. */
export async function findSince(
  environment: LogEnvironment,
  log: SearchedLog,
  timestampMs: number,
): Promise<TimedOffset | undefined> {
  for (const segment of log.segments) {
    if (segment.baseOffset >= log.bound) return undefined;
    if (segment.maxTimestamp < timestampMs) continue;
    const index = await environment.indexes.get(segment, log.indexIntervalBytes);
    let from = index.positionBeforeTime(timestampMs);
    for (;;) {
      const found = await nextBatch(environment, segment, { ...log, from, minTimestamp: timestampMs });
      if (found === undefined) break;
      const record = firstRecordSince(found.batch, timestampMs, log.startOffset);
      if (record !== undefined) return timed(found.batch, record, log.bound);
      from = found.position + found.batch.sizeBytes;
    }
  }
  return undefined;
}

/** The first record that has the largest timestamp of all below the bound (KIP-734). */
export async function findNewest(environment: LogEnvironment, log: SearchedLog): Promise<TimedOffset | undefined> {
  let best: { segment: Segment; timestamp: number; from: number } | undefined;
  for (const segment of log.segments) {
    if (segment.baseOffset >= log.bound || segment.endOffset <= log.startOffset) continue;
    if (segment.maxTimestamp <= (best?.timestamp ?? -1)) continue;
    const newest = await newestBelow(environment, log, segment);
    if (newest.timestamp > (best?.timestamp ?? -1)) best = { segment, ...newest };
  }
  if (best === undefined) return undefined;
  const wish = { ...log, from: best.from, minTimestamp: best.timestamp };
  const found = await nextBatch(environment, best.segment, wish);
  if (found === undefined) return undefined;
  const record = newestRecord(found.batch, log.startOffset);
  return record === undefined ? undefined : timed(found.batch, record, log.bound);
}

/** Largest timestamp of a segment's batches between start and bound, and a position at or before the first that has it. */
async function newestBelow(
  environment: LogEnvironment,
  log: SearchedLog,
  segment: Segment,
): Promise<{ timestamp: number; from: number }> {
  const index = await environment.indexes.get(segment, log.indexIntervalBytes);
  if (segment.endOffset <= log.bound && segment.baseOffset >= log.startOffset) {
    return { timestamp: segment.maxTimestamp, from: index.positionBeforeTime(segment.maxTimestamp) };
  }
  const newest = { timestamp: -1, from: 0 };
  const from = index.positionBefore(log.startOffset - segment.baseOffset);
  await walk(environment, segment, from, (batch, position) => {
    if (batch.endOffset > log.bound) return false;
    if (batch.endOffset <= log.startOffset || batch.newestTimestamp <= newest.timestamp) return true;
    newest.timestamp = batch.newestTimestamp;
    newest.from = position;
    return true;
  });
  return newest;
}

/** The next whole batch from a position on that ends within the bound and has a record as new as `minTimestamp`. */
async function nextBatch(
  environment: LogEnvironment,
  segment: Segment,
  wish: SearchedLog & { readonly from: number; readonly minTimestamp: number },
): Promise<{ readonly batch: RecordBatchView; readonly position: number } | undefined> {
  let place: { position: number; size: number } | undefined;
  await walk(environment, segment, wish.from, (batch, position) => {
    if (batch.endOffset > wish.bound) return false;
    if (batch.endOffset <= wish.startOffset || batch.newestTimestamp < wish.minTimestamp) return true;
    place = { position, size: batch.sizeBytes };
    return false;
  });
  if (place === undefined) return undefined;
  const { position, size } = place as { position: number; size: number };
  const bytes = Buffer.allocUnsafeSlow(Math.min(size, batchBytesMax + batchLengthPrefixBytes));
  await withFile(environment.files, segment.slot, { create: false }, (file) => file.read(position, bytes));
  return { batch: new RecordBatchView(bytes), position };
}

async function walk(
  environment: LogEnvironment,
  segment: Segment,
  from: number,
  visit: (batch: RecordBatchView, position: number) => boolean,
): Promise<void> {
  const range = { from, to: segment.writtenBytes, offset: undefined };
  await withFile(environment.files, segment.slot, { create: false }, (file) =>
    scanBatches(file, range, { checksums: false }, visit),
  );
}

function timed(batch: RecordBatchView, record: TimedRecord, bound: Offset): TimedOffset | undefined {
  if (record.offset >= bound) return undefined;
  return { offset: record.offset, timestampMs: record.timestampMs, epoch: batch.partitionLeaderEpoch };
}
