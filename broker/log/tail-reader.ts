/** Reads from the newest chunks in memory: no disk, no copy. The buffers handed out are those that were appended. */
import { RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import type { ReadWish } from "./disk-reader.ts";
import { beginFillerAt, isFiller } from "./empty-batches.ts";
import type { LogChunk, Offset } from "./log-contract.ts";
import type { LogTail } from "./tail-cache.ts";

/** Whole batches for a consumer; undefined when the offset is not in memory. */
export function readTail(tail: LogTail, wish: ReadWish): Buffer[] | undefined {
  const first = tail.indexOf(wish.offset);
  if (first < 0) return undefined;
  const buffers: Buffer[] = [];
  let left = wish.maxBytes;
  for (let index = first; ; index += 1) {
    const chunk = tail.at(index);
    if (chunk === undefined || chunk.baseOffset >= wish.bound) break;
    const mustTake = wish.atLeastOne && buffers.length === 0;
    const whole = chunk.endOffset <= wish.bound && chunk.bytes.length <= left;
    const part = whole && chunk.baseOffset >= wish.offset ? chunk : partOf(chunk, wish, left, mustTake);
    if (part === undefined) break;
    buffers.push(part.bytes);
    left -= part.bytes.length;
    if (part.endOffset !== chunk.endOffset) break;
  }
  return buffers;
}

/** Chunks for a follower, at most `maxBytes` but at least one batch; undefined when the offset is not in memory. */
export function readTailChunks(tail: LogTail, offset: Offset, maxBytes: number): LogChunk[] | undefined {
  const first = tail.indexOf(offset);
  if (first < 0) return undefined;
  const chunks: LogChunk[] = [];
  let left = maxBytes;
  for (let index = first; ; index += 1) {
    const chunk = tail.at(index);
    if (chunk === undefined) break;
    if (chunk.bytes.length <= left && chunk.baseOffset >= offset) {
      chunks.push(chunk);
      left -= chunk.bytes.length;
      continue;
    }
    const wish = { offset, bound: chunk.endOffset, maxBytes: left, atLeastOne: chunks.length === 0 };
    const part = partOf(chunk, wish, left, wish.atLeastOne);
    if (part === undefined) break;
    chunks.push(chunkFrom(part, offset));
    left -= part.bytes.length;
    if (part.endOffset !== chunk.endOffset) break;
  }
  return chunks;
}

/**
 * The batches of a chunk from the one that holds the offset, up to the bound and `left` bytes; the first even if it is
 * larger than that when `mustTake`. Undefined when there is none.
 */
function partOf(
  chunk: LogChunk,
  wish: { readonly offset: Offset; readonly bound: Offset },
  left: number,
  mustTake: boolean,
): LogChunk | undefined {
  const { bytes } = chunk;
  const batch = new RecordBatchView(bytes);
  let from = -1;
  let baseOffset = 0;
  let endOffset = 0;
  let at = 0;
  while (at < bytes.length) {
    batch.moveTo(bytes, at);
    const size = batch.sizeBytes;
    const end = batch.endOffset;
    if (end > wish.offset) {
      const isFirst = from < 0;
      if (end > wish.bound || (at + size - (isFirst ? at : from) > left && !(isFirst && mustTake))) break;
      if (isFirst) {
        from = at;
        baseOffset = batch.baseOffset;
      }
      endOffset = end;
    }
    at += size;
  }
  if (from < 0) return undefined;
  const startsSegment = chunk.startsSegment && from === 0;
  return { baseOffset, endOffset, epoch: chunk.epoch, bytes: bytes.subarray(from, at), startsSegment };
}

/** The chunk for a follower that stands at `offset`: when that is inside a filler, a copy that begins there. */
function chunkFrom(chunk: LogChunk, offset: Offset): LogChunk {
  if (chunk.baseOffset >= offset || !isFiller(new RecordBatchView(chunk.bytes))) return chunk;
  const bytes = Buffer.from(chunk.bytes);
  beginFillerAt(new RecordBatchView(bytes), offset);
  return { ...chunk, baseOffset: offset, bytes, startsSegment: false };
}
