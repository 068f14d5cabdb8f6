/**
 * Reads whole batches of one segment from disk. Headers are checked on the way (magic, lengths, offsets without gap), so
 * that a damaged file is an error and never an answer.
 */
import { batchHeaderBytes, RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import type { DiskFile } from "../../shared/ports/disk.ts";
import { isPlausible } from "./batch-scanner.ts";
import { beginFillerAt } from "./empty-batches.ts";
import { diskReadBytesMax } from "./limits.ts";
import type { LogChunk, Offset } from "./log-contract.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { LogError } from "./log-errors.ts";
import { withFile } from "./open-files.ts";
import type { Segment } from "./segment.ts";

export interface ReadWish {
  /** The first batch of the answer holds it. */
  readonly offset: Offset;
  /** All batches of the answer end at or below. */
  readonly bound: Offset;
  readonly maxBytes: number;
  /** The first batch comes even if it is larger than `maxBytes`. */
  readonly atLeastOne: boolean;
}

const nothing = Buffer.alloc(0);

/** The batches of one segment that the wish asks for, in one buffer; empty when the segment has none. */
export async function readBatches(
  environment: LogEnvironment,
  segment: Segment,
  wish: ReadWish,
  interval: number,
): Promise<Buffer> {
  const index = await environment.indexes.get(segment, interval);
  const from = index.positionBefore(wish.offset - segment.baseOffset);
  const size = Math.min(wish.maxBytes, diskReadBytesMax) + interval + batchHeaderBytes;
  return withFile(environment.files, segment.slot, { create: false }, (file) =>
    readFrom(file, segment, wish, { position: from, size }),
  );
}

/** Walks to the batch that holds the offset, then takes what fits. Reads again when that batch is not whole in the first read. */
async function readFrom(
  file: DiskFile,
  segment: Segment,
  wish: ReadWish,
  start: { readonly position: number; readonly size: number },
): Promise<Buffer> {
  const limit = segment.writtenBytes;
  const batch = new RecordBatchView(nothing);
  let { position, size } = start;
  let expected: Offset | undefined;
  while (position + batchHeaderBytes <= limit) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(size, limit - position));
    if ((await file.read(position, bytes)) < bytes.length) throw corrupt(segment, limit, "the file is shorter");
    let at = 0;
    while (at + batchHeaderBytes <= bytes.length) {
      checkBatch(batch.moveTo(bytes, at), segment, { position: position + at, limit, expected });
      expected = batch.endOffset;
      if (expected > wish.offset) break;
      at += batch.sizeBytes;
    }
    position += at;
    if (expected === undefined || expected <= wish.offset) continue;
    if (batch.baseOffset > wish.offset) throw corrupt(segment, position, "the index leads past the offset");
    const first = batch.sizeBytes;
    if (expected > wish.bound || (first > wish.maxBytes && !wish.atLeastOne)) return nothing;
    if (at + first <= bytes.length) return takeBatches(bytes, at, { segment, wish, position, limit });
    size = Math.max(first, Math.min(wish.maxBytes, diskReadBytesMax));
    expected = undefined;
  }
  return nothing;
}

/** The whole batches from `from` on that end within the bound, the bytes and the buffer. The first is known to. */
function takeBatches(
  bytes: Buffer,
  from: number,
  place: { readonly segment: Segment; readonly wish: ReadWish; readonly position: number; readonly limit: number },
): Buffer {
  const { segment, wish, limit } = place;
  const batch = new RecordBatchView(bytes, from);
  let end = from + batch.sizeBytes;
  let expected = batch.endOffset;
  while (end + batchHeaderBytes <= bytes.length) {
    checkBatch(batch.moveTo(bytes, end), segment, { position: place.position + end - from, limit, expected });
    const next = end + batch.sizeBytes;
    if (batch.endOffset > wish.bound || next - from > wish.maxBytes || next > bytes.length) break;
    expected = batch.endOffset;
    end = next;
  }
  return bytes.subarray(from, end);
}

function checkBatch(
  batch: RecordBatchView,
  segment: Segment,
  place: { readonly position: number; readonly limit: number; readonly expected: Offset | undefined },
): void {
  const { position, limit, expected } = place;
  const follows = expected === undefined || batch.baseOffset === expected;
  if (isPlausible(batch) && follows && position + batch.sizeBytes <= limit) return;
  throw corrupt(segment, position, "no batch where one should begin");
}

function corrupt(segment: Segment, position: number, detail: string): LogError {
  return new LogError("LOG_CORRUPT", segment.slot.path, `position ${position}: ${detail}`);
}

/**
 * Cuts what was read into chunks, one for each run of batches of the same leader epoch. The checksums are checked: what
 * goes to a follower must not carry damage from this disk to another. A follower that stands at `offset` inside a filler
 * gets the filler from there on. Changes the bytes.
 */
export function chunksOf(bytes: Buffer, segment: Segment, offset: Offset): LogChunk[] {
  const chunks: LogChunk[] = [];
  const batch = new RecordBatchView(bytes);
  let from = 0;
  let baseOffset = 0;
  for (let at = 0; at < bytes.length; ) {
    batch.moveTo(bytes, at);
    if (!batch.isCrcValid)
      throw corrupt(segment, at, `the checksum of the batch at offset ${batch.baseOffset} is wrong`);
    if (at === 0) beginFillerAt(batch, offset);
    if (at === from) baseOffset = batch.baseOffset;
    const epoch = batch.partitionLeaderEpoch;
    const endOffset = batch.endOffset;
    at += batch.sizeBytes;
    if (at < bytes.length && batch.moveTo(bytes, at).partitionLeaderEpoch === epoch) continue;
    const startsSegment = baseOffset === segment.baseOffset;
    chunks.push({ baseOffset, endOffset, epoch, bytes: bytes.subarray(from, at), startsSegment });
    from = at;
  }
  return chunks;
}
