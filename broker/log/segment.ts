/**
 * One segment of a log: a file of whole batches from its base offset on, and what is known of it in memory. Only the last
 * segment of a log grows.
 */
import path from "node:path";
import { segmentFileName } from "../../shared/segment/segment-names.ts";
import type { Offset } from "./log-contract.ts";
import type { SegmentSummary } from "./log-state-file.ts";
import { FileSlot } from "./open-files.ts";
import type { SegmentIndex } from "./segment-index.ts";

export class Segment implements SegmentSummary {
  readonly baseOffset: Offset;
  readonly createdMs: number;
  readonly generation: number;
  readonly slot: FileSlot;
  readonly indexPath: string;
  readonly snapshotPath: string;
  /** One past the last offset appended, written or not. */
  endOffset: Offset;
  /** Bytes appended, written or not. */
  sizeBytes = 0;
  /** Bytes written: what a read of the file may trust. */
  writtenBytes = 0;
  /** Bytes that are on the device for sure. */
  syncedBytes = 0;
  /** Of all batches appended; -1 when none has a timestamp. */
  maxTimestamp = -1;
  /** Undefined: to be read from its file, or made again. */
  index: SegmentIndex | undefined = undefined;
  /** Bytes that the index file covers, as far as this process knows. */
  indexSavedBytes = 0;

  constructor(directory: string, baseOffset: Offset, createdMs: number, generation = 0) {
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
    this.createdMs = createdMs;
    this.generation = generation;
    this.slot = new FileSlot(path.join(directory, segmentFileName(baseOffset, "log", generation)));
    this.indexPath = path.join(directory, segmentFileName(baseOffset, "index", generation));
    this.snapshotPath = path.join(directory, segmentFileName(baseOffset, "snapshot"));
  }

  /** One that a checkpoint tells of, all of it synced. */
  static restored(directory: string, summary: SegmentSummary): Segment {
    const segment = new Segment(directory, summary.baseOffset, summary.createdMs, summary.generation);
    segment.endOffset = summary.endOffset;
    segment.sizeBytes = summary.sizeBytes;
    segment.writtenBytes = summary.sizeBytes;
    segment.syncedBytes = summary.sizeBytes;
    segment.maxTimestamp = summary.maxTimestamp;
    return segment;
  }
}

export function summaryOf(segment: Segment): SegmentSummary {
  const { baseOffset, endOffset, sizeBytes, maxTimestamp, createdMs, generation } = segment;
  return { baseOffset, endOffset, sizeBytes, maxTimestamp, createdMs, generation };
}

/** Place of the segment that holds `offset` (the last one for what is past the end); -1 when it is below all. */
export function segmentAt(segments: readonly { readonly baseOffset: Offset }[], offset: Offset): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle] as { readonly baseOffset: Offset }).baseOffset <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
