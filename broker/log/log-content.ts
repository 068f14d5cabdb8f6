/** What one log is, in memory: segments, offsets, epochs, producers. Changed at once by an append; knows no file operation. */
import { RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import type { EpochHistory } from "./epoch-history.ts";
import { indexEntriesMax, segmentBytesMax, segmentOffsetsMax } from "./limits.ts";
import type { LogChunk, LogConfig, Offset } from "./log-contract.ts";
import type { LogCut } from "./log-cut.ts";
import { LogError } from "./log-errors.ts";
import type { RecoveredLog } from "./log-recovery.ts";
import type { CompactionState, LogState } from "./log-state-file.ts";
import { encodeProducerSnapshot } from "./producer-snapshot.ts";
import type { ProducerStates } from "./producer-states.ts";
import { Segment, summaryOf } from "./segment.ts";
import { SegmentIndex } from "./segment-index.ts";

/** Moved from batch to batch. One for all logs: a view of its own would keep the last chunk's buffer alive for each. */
const batchView = new RecordBatchView(Buffer.alloc(0));

export class LogContent {
  readonly directory: string;
  config: LogConfig;
  /** Ascending, without gaps; the last one grows. The array is replaced, never changed. */
  segments: readonly Segment[];
  startOffset: Offset;
  endOffset: Offset;
  epochs: EpochHistory;
  producers: ProducerStates;
  compaction: CompactionState;
  sizeBytes = 0;
  /** Bytes appended since the last checkpoint. */
  uncheckedBytes: number;
  /** How often the log was cut: a read that began before a cut and ended after it is void. */
  cuts = 0;

  constructor(directory: string, config: LogConfig, recovered: RecoveredLog) {
    this.directory = directory;
    this.config = config;
    this.segments = recovered.segments;
    this.startOffset = recovered.startOffset;
    this.endOffset = recovered.endOffset;
    this.epochs = recovered.epochs;
    this.producers = recovered.producers;
    this.compaction = recovered.compaction;
    this.sizeBytes = bytesOf(this.segments);
    this.uncheckedBytes = this.sizeBytes - recovered.checkpointBytes;
  }

  /** Throws before anything has changed when a chunk is not what it says, or does not continue the log. */
  checkChunk(chunk: LogChunk): void {
    const { bytes } = chunk;
    const batch = batchView;
    let offset = this.endOffset;
    let at = 0;
    while (at < bytes.length) {
      batch.moveTo(bytes, at);
      if (!batch.isWhole || batch.baseOffset !== offset || batch.lastOffsetDelta < 0) break;
      if (batch.partitionLeaderEpoch !== chunk.epoch) break;
      offset = batch.endOffset;
      at += batch.sizeBytes;
    }
    const isWhole = at === bytes.length && at > 0;
    const isNext = chunk.baseOffset === this.endOffset && chunk.epoch >= this.epochs.lastEpoch;
    if (isWhole && isNext && chunk.endOffset === offset) return;
    const said = `[${chunk.baseOffset}, ${chunk.endOffset}) of epoch ${chunk.epoch}, ${bytes.length} bytes`;
    const found = `sound up to byte ${at} and offset ${offset}, after offset ${this.endOffset} of epoch ${this.epochs.lastEpoch}`;
    throw new LogError("CHUNK_INVALID", this.directory, `the chunk ${said}, is ${found}`);
  }

  /**
   * Must a segment begin with this chunk? The leader said so, or there is none. Or its own segment would grow past what a
   * segment may be: a copy of a log that was compacted since it was begun can be cut otherwise than the leader's.
   */
  startsSegment(chunk: LogChunk): boolean {
    const last = this.segments.at(-1);
    if (last === undefined) return true;
    if (last.sizeBytes === 0) return false;
    return (
      chunk.startsSegment ||
      last.sizeBytes + chunk.bytes.length > segmentBytesMax ||
      last.endOffset - last.baseOffset >= segmentOffsetsMax
    );
  }

  /** Begins an empty segment at the end of the log. */
  addSegment(wallMs: number): Segment {
    const segment = new Segment(this.directory, this.endOffset, wallMs);
    segment.index = new SegmentIndex();
    this.segments = [...this.segments, segment];
    return segment;
  }

  /** Takes in a checked chunk at the end of the last segment. */
  add(segment: Segment, chunk: LogChunk, wallMs: number): void {
    const { bytes } = chunk;
    const batch = batchView;
    const start = segment.sizeBytes;
    for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
      batch.moveTo(bytes, at);
      const relativeOffset = batch.baseOffset - segment.baseOffset;
      segment.index?.note(relativeOffset, start + at, segment.maxTimestamp, this.config.indexIntervalBytes);
      if (batch.hasProducerId) this.producers.update(batch, wallMs);
      const timestamp = batch.newestTimestamp;
      if (timestamp > segment.maxTimestamp) segment.maxTimestamp = timestamp;
    }
    segment.sizeBytes += bytes.length;
    segment.endOffset = chunk.endOffset;
    if (chunk.epoch !== this.epochs.lastEpoch) this.epochs = this.epochs.append(chunk.epoch, chunk.baseOffset);
    this.sizeBytes += bytes.length;
    this.uncheckedBytes += bytes.length;
    this.endOffset = chunk.endOffset;
  }

  shouldRoll(chunkBytes: number, wallMs: number): boolean {
    const segment = this.segments.at(-1);
    if (segment === undefined) return true;
    if (segment.sizeBytes === 0) return false;
    return (
      segment.sizeBytes + chunkBytes > Math.min(this.config.segmentBytes, segmentBytesMax) ||
      wallMs - segment.createdMs >= this.config.segmentMs ||
      segment.endOffset - segment.baseOffset >= segmentOffsetsMax ||
      (segment.index?.count ?? 0) >= indexEntriesMax
    );
  }

  /** The checkpoint of the log as it is now, with the start offset that is to be. */
  stateNow(startOffset: Offset): LogState {
    return {
      startOffset,
      checkpointOffset: this.endOffset,
      cutPending: false,
      segments: this.segments.map(summaryOf),
      epochs: this.epochs,
      producers: encodeProducerSnapshot(this.endOffset, this.producers),
      compaction: this.compaction,
    };
  }

  /** Puts what compaction made in the place of segments that follow one another and are part of the log. */
  exchange(old: readonly Segment[], made: Segment): void {
    this.segments = exchanged(this.segments, old, made);
    this.sizeBytes += made.sizeBytes - bytesOf(old);
  }

  raiseStart(startOffset: Offset): void {
    this.startOffset = startOffset;
    this.epochs = this.epochs.raiseStart(startOffset);
  }

  /** Takes the segments that lie wholly below the start offset out of the log and gives them back. */
  takeSegmentsBelowStart(): readonly Segment[] {
    let count = 0;
    while (count < this.segments.length && (this.segments[count] as Segment).endOffset <= this.startOffset) count += 1;
    const dropped = this.segments.slice(0, count);
    this.segments = this.segments.slice(count);
    this.sizeBytes -= bytesOf(dropped);
    return dropped;
  }

  /** Becomes what the cut leaves; gives back the segments that are no longer part of the log. */
  applyCut(cut: LogCut): readonly Segment[] {
    const removed = this.segments.slice(cut.keep);
    this.segments = this.segments.slice(0, cut.keep);
    const last = this.segments.at(-1);
    if (last !== undefined) {
      last.sizeBytes = cut.lastBytes;
      last.writtenBytes = cut.lastBytes;
      last.syncedBytes = cut.lastBytes;
      last.endOffset = cut.endOffset;
      last.maxTimestamp = cut.maxTimestamp;
      last.indexSavedBytes = 0;
      if (last.index === undefined) last.index = new SegmentIndex(cut.lastBytes);
      else last.index.truncateTo(cut.lastBytes);
    }
    this.startOffset = cut.startOffset;
    this.endOffset = cut.endOffset;
    this.epochs = cut.epochs;
    this.producers = cut.producers;
    this.compaction = cut.compaction;
    this.sizeBytes = bytesOf(this.segments);
    this.uncheckedBytes = 0;
    this.cuts += 1;
    return removed;
  }
}

/** Segments with one in the place of several that follow one another among them. */
export function exchanged<T>(segments: readonly T[], old: readonly T[], made: T): readonly T[] {
  const first = segments.indexOf(old[0] as T);
  return [...segments.slice(0, first), made, ...segments.slice(first + old.length)];
}

function bytesOf(segments: readonly Segment[]): number {
  let bytes = 0;
  for (const segment of segments) bytes += segment.sizeBytes;
  return bytes;
}
