/** Walks the batches of a segment file by their headers, in blocks: recovery, index rebuild, producer states, look-ups. */
import assert from "node:assert/strict";
import { crc32c } from "../../shared/kafka/records/crc32c.ts";
import {
  batchCrcCoversFrom,
  batchHeaderBytes,
  batchLengthPrefixBytes,
  batchMagic,
  RecordBatchView,
} from "../../shared/kafka/records/record-batch.ts";
import type { DiskFile } from "../../shared/ports/disk.ts";
import { batchBytesMax, scanBlockBytes } from "./limits.ts";
import type { Offset } from "./log-contract.ts";

/**
 * Why a walk ended before its range did. `torn`: the file or the range ends inside a batch. `header`: what is there is no
 * batch that could follow (lengths, magic, offset or epoch). `checksum`: the header is good, the CRC is not.
 */
export type ScanProblem = "torn" | "header" | "checksum";

export interface ScanRange {
  /** Position of the first batch. */
  readonly from: number;
  /** Nothing from here on is looked at. */
  readonly to: number;
  /** Base offset that the first batch must have; undefined: whatever it has. */
  readonly offset: Offset | undefined;
  /** Leader epoch that none of the batches may be below; left out: none. */
  readonly epoch?: number;
}

export interface ScanEnd {
  /** One past the last whole good batch. */
  readonly position: number;
  /** One past its last offset; what `range.offset` was when there is none. */
  readonly offset: Offset | undefined;
  readonly problem: ScanProblem | undefined;
  /** Size that the bad batch claims; 0 when its header cannot be believed at all. */
  readonly claimedBytes: number;
}

/** Gets each good batch's header (the view holds no more than that for sure) and position; false stops the walk after it. */
export type BatchVisitor = (batch: RecordBatchView, position: number) => boolean;

export async function scanBatches(
  file: DiskFile,
  range: ScanRange,
  options: { readonly checksums: boolean },
  visit: BatchVisitor,
): Promise<ScanEnd> {
  const window = new FileWindow(file, range.to, Math.min(scanBlockBytes, range.to - range.from));
  const batch = new RecordBatchView(window.bytes);
  let { from: position, offset } = range;
  let epoch = range.epoch ?? -1;
  const end = (problem?: ScanProblem, claimedBytes = 0): ScanEnd => ({ position, offset, problem, claimedBytes });
  while (position < range.to) {
    if (!(await window.cover(position, batchHeaderBytes))) return end("torn");
    batch.moveTo(window.bytes, position - window.start);
    if (!isPlausible(batch) || (offset !== undefined && batch.baseOffset !== offset)) return end("header");
    const size = batch.sizeBytes;
    if (batch.partitionLeaderEpoch < epoch) return end("header", size);
    if (position + size > range.to) return end("torn", size);
    if (options.checksums) {
      const crc = await window.checksum(position + batchCrcCoversFrom, position + size);
      if (crc === undefined) return end("torn", size);
      await window.cover(position, batchHeaderBytes);
      batch.moveTo(window.bytes, position - window.start);
      if (crc !== batch.crc) return end("checksum", size);
    }
    epoch = batch.partitionLeaderEpoch;
    const nextOffset = batch.endOffset;
    const goOn = visit(batch, position);
    position += size;
    offset = nextOffset;
    if (!goOn) return end();
  }
  return end();
}

/** Could this header be one that the log wrote? The view must hold the whole header. */
export function isPlausible(batch: RecordBatchView): boolean {
  const size = batch.sizeBytes;
  return (
    batch.magic === batchMagic &&
    size >= batchHeaderBytes &&
    size <= batchBytesMax + batchLengthPrefixBytes &&
    batch.baseOffset >= 0 &&
    batch.lastOffsetDelta >= 0 &&
    batch.partitionLeaderEpoch >= 0
  );
}

/** A part of a file in memory, moved along as the walk goes on. */
class FileWindow {
  readonly bytes: Buffer;
  start = 0;
  readonly #file: DiskFile;
  readonly #to: number;
  #filled = 0;

  constructor(file: DiskFile, to: number, size: number) {
    this.#file = file;
    this.#to = to;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(size, 0));
  }

  /** Makes the window hold `length` bytes from `position`; false when the file or the range ends before. */
  async cover(position: number, length: number): Promise<boolean> {
    if (position >= this.start && position + length <= this.start + this.#filled) return true;
    if (position + length > this.#to) return false;
    assert(length <= this.bytes.length, "a window covers no more than its size");
    this.start = position;
    const target = this.bytes.subarray(0, Math.min(this.bytes.length, this.#to - position));
    this.#filled = await this.#file.read(position, target);
    return this.#filled >= length;
  }

  /** CRC-32C of a range of the file, whatever its length; undefined when the file ends before. */
  async checksum(from: number, to: number): Promise<number | undefined> {
    let crc = 0;
    for (let position = from; position < to; ) {
      const within = position >= this.start && position < this.start + this.#filled;
      if (!within && !(await this.cover(position, 1))) return undefined;
      const begin = position - this.start;
      const stop = Math.min(to - this.start, this.#filled);
      crc = crc32c(this.bytes.subarray(begin, stop), crc);
      position = this.start + stop;
    }
    return crc;
  }
}
