/**
 * Opening a log: what the files hold, from the last checkpoint on.
 *
 * All below the checkpoint was synced, so it is trusted and not read. What lies beyond may be anything: the last write was
 * torn (the process died), or any part of what was not synced is missing (the power went). It is walked batch by batch
 * with checksums, and the log ends at the first that is not good; the rest is cut, and the report tells.
 *
 * Never cut is what must not have been lost: data below the checkpoint, and, when the page cache is known to have survived
 * (`pageCacheSurvived`: the machine did not restart since), a bad batch that good ones follow, or that this very process
 * has written (`writtenOffset`). A torn write cannot look like that, so the disk has lost data that was acknowledged:
 * `LogError` LOG_CORRUPT, and the files stay as they are.
 */
import path from "node:path";
import { batchHeaderBytes, RecordBatchView } from "../../shared/kafka/records/record-batch.ts";
import type { DiskFile } from "../../shared/ports/disk.ts";
import {
  logStateFileName,
  parseSegmentFileName,
  segmentFileKinds,
  segmentFileName,
} from "../../shared/segment/segment-names.ts";
import { isPlausible, type ScanEnd, scanBatches } from "./batch-scanner.ts";
import { EpochHistory } from "./epoch-history.ts";
import type { Offset } from "./log-contract.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { LogError } from "./log-errors.ts";
import { type CompactionState, decodeLogState, encodeLogState, type LogState, notCompacted } from "./log-state-file.ts";
import { withFile } from "./open-files.ts";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "./producer-snapshot.ts";
import { ProducerStates } from "./producer-states.ts";
import { Segment, summaryOf } from "./segment.ts";
import { SegmentIndex } from "./segment-index.ts";

export interface RecoveryReport {
  /** Where the log ends now. */
  readonly endOffset: Offset;
  /** Bytes after the checkpoint that were walked; 0 after a clean close. */
  readonly scannedBytes: number;
  /** Bytes that were cut from the segment where the log ends now. */
  readonly truncatedBytes: number;
  /** Segments after it that were removed. */
  readonly removedSegments: number;
  /** Offset that the first bad batch should have had; undefined when nothing was cut. */
  readonly firstBadOffset: Offset | undefined;
  /** Good batches followed the bad one: synced data may be among what is lost. Only after a power loss. */
  readonly lostGoodData: boolean;
  /** A truncation that a crash had interrupted was finished. */
  readonly finishedCut: boolean;
}

export interface RecoveredLog {
  readonly startOffset: Offset;
  readonly endOffset: Offset;
  /** All below was on the device for sure. */
  readonly syncedOffset: Offset;
  readonly segments: Segment[];
  readonly epochs: EpochHistory;
  readonly producers: ProducerStates;
  readonly compaction: CompactionState;
  /** Bytes of all segments that the last checkpoint covers. */
  readonly checkpointBytes: number;
  readonly report: RecoveryReport;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly pageCacheSurvived: boolean;
  /** All below was written, and maybe acknowledged, by this process: no failed write took it. */
  readonly writtenOffset: Offset;
  readonly indexIntervalBytes: number;
}

const freshState: LogState = {
  startOffset: 0,
  checkpointOffset: 0,
  cutPending: false,
  segments: [],
  epochs: EpochHistory.empty,
  producers: encodeProducerSnapshot(0, new ProducerStates()),
  compaction: notCompacted,
};

/** Rejects with a LogError when synced data is missing or damaged, else with the disk's error. */
export async function recoverLog(environment: LogEnvironment, options: RecoveryOptions): Promise<RecoveredLog> {
  const names = await environment.disk.list(options.directory);
  const state = names.includes(logStateFileName) ? await readState(environment, options.directory) : freshState;
  const recovery = new Recovery(environment, options, state, names);
  return recovery.run();
}

async function readState(environment: LogEnvironment, directory: string): Promise<LogState> {
  const file = path.join(directory, logStateFileName);
  const bytes = await environment.disk.readFile(file);
  const state = bytes === undefined ? undefined : decodeLogState(bytes);
  if (state === undefined)
    throw new LogError("LOG_CORRUPT", file, "damaged, or of a version that this build does not know");
  return state;
}

class Recovery {
  readonly #environment: LogEnvironment;
  readonly #options: RecoveryOptions;
  readonly #state: LogState;
  readonly #names: readonly string[];
  readonly #segments: Segment[];
  readonly #producers: ProducerStates;
  #epochs: EpochHistory;
  #endOffset: Offset;
  #scannedBytes = 0;
  #truncatedBytes = 0;
  #removedSegments = 0;
  #firstBadOffset: Offset | undefined;
  #lostGoodData = false;

  constructor(environment: LogEnvironment, options: RecoveryOptions, state: LogState, names: readonly string[]) {
    this.#environment = environment;
    this.#options = options;
    this.#state = state;
    this.#names = names;
    this.#epochs = state.epochs;
    this.#endOffset = state.checkpointOffset;
    this.#segments = state.segments.map((summary) => Segment.restored(options.directory, summary));
    const producers = decodeProducerSnapshot(state.producers);
    if (producers === undefined) throw this.#corrupt("the checkpoint's producer states are damaged");
    this.#producers = producers.producers;
  }

  async run(): Promise<RecoveredLog> {
    const state = this.#state;
    this.#dropBelowStart();
    for (const segment of this.#segments) {
      if (!this.#isOnDisk(segment)) throw this.#corrupt(`the segment at offset ${segment.baseOffset} is gone`);
    }
    const checkpointBytes = totalBytes(this.#segments);
    const last = this.#segments.at(-1);
    const newBases = this.#appendedBases().filter(
      (base) => base >= state.checkpointOffset && base !== last?.baseOffset,
    );
    if (state.cutPending) await this.#finishCut();
    else {
      await this.#scanAll(last, newBases);
      this.#checkWritten();
    }
    if (state.cutPending || this.#firstBadOffset !== undefined) await this.#persist();
    else await this.#removeStrays();
    return {
      startOffset: state.startOffset,
      endOffset: this.#endOffset,
      syncedOffset: state.cutPending || this.#firstBadOffset !== undefined ? this.#endOffset : state.checkpointOffset,
      segments: this.#segments,
      epochs: this.#epochs.raiseStart(state.startOffset),
      producers: this.#producers,
      compaction: state.compaction,
      checkpointBytes,
      report: {
        endOffset: this.#endOffset,
        scannedBytes: this.#scannedBytes,
        truncatedBytes: this.#truncatedBytes,
        removedSegments: this.#removedSegments,
        firstBadOffset: this.#firstBadOffset,
        lostGoodData: this.#lostGoodData,
        finishedCut: state.cutPending,
      },
    };
  }

  /**
   * Base offsets of the segments on the disk as they were appended. One that compaction wrote is part of the log only when
   * the state file names it.
   */
  #appendedBases(): readonly Offset[] {
    return this.#names.flatMap((name) => {
      const parsed = parseSegmentFileName(name);
      return parsed?.kind === "log" && parsed.generation === 0 ? [parsed.baseOffset] : [];
    });
  }

  #isOnDisk({ baseOffset, generation }: Segment): boolean {
    return this.#names.includes(segmentFileName(baseOffset, "log", generation));
  }

  /**
   * Segments that were removed, or about to be. The last one may have grown past the start offset since the checkpoint:
   * it goes only if its file is gone.
   */
  #dropBelowStart(): void {
    for (let first = this.#segments[0]; first !== undefined; first = this.#segments[0]) {
      if (first.endOffset > this.#state.startOffset) return;
      if (this.#segments.length === 1 && this.#isOnDisk(first)) return;
      this.#segments.shift();
    }
  }

  async #scanAll(last: Segment | undefined, newBases: readonly Offset[]): Promise<void> {
    if (last !== undefined) await this.#scanSegment(last, newBases.length > 0);
    for (const [index, base] of newBases.entries()) {
      if (base !== this.#endOffset) this.#cutFrom(this.#endOffset, true);
      if (this.#firstBadOffset !== undefined) {
        this.#removedSegments = newBases.length - index;
        return;
      }
      const segment = new Segment(this.#options.directory, base, this.#environment.clock.wallMs());
      segment.index = new SegmentIndex();
      this.#segments.push(segment);
      await this.#scanSegment(segment, index + 1 < newBases.length);
      // A file without one good batch is as good as none: the next append makes it again.
      if (segment.sizeBytes === 0) {
        this.#segments.pop();
        this.#removedSegments += 1;
      }
    }
  }

  /** Walks a segment from what is known to be good; takes in what is good too and cuts the file there. */
  async #scanSegment(segment: Segment, hasSuccessor: boolean): Promise<void> {
    await withFile(this.#environment.files, segment.slot, { create: false }, async (file) => {
      const from = segment.sizeBytes;
      const to = file.sizeAtOpen;
      if (to < from) throw this.#corrupt(`the segment at offset ${segment.baseOffset} lost ${from - to} synced bytes`);
      if (segment.index === undefined) segment.index = new SegmentIndex(from);
      if (to === from) return;
      this.#scannedBytes += to - from;
      const range = { from, to, offset: this.#endOffset, epoch: this.#epochs.lastEpoch };
      const end = await scanBatches(file, range, { checksums: true }, (batch, position) => {
        this.#take(segment, batch, position);
        return true;
      });
      if (end.position === to) return;
      this.#cutFrom(this.#endOffset, hasSuccessor || (await isGoodAfter(file, end, to)));
      this.#truncatedBytes += to - end.position;
      await file.truncate(end.position);
      await file.sync();
      segment.syncedBytes = end.position;
    });
  }

  #take(segment: Segment, batch: RecordBatchView, position: number): void {
    const epoch = batch.partitionLeaderEpoch;
    const relativeOffset = batch.baseOffset - segment.baseOffset;
    segment.index?.note(relativeOffset, position, segment.maxTimestamp, this.#options.indexIntervalBytes);
    if (epoch !== this.#epochs.lastEpoch) this.#epochs = this.#epochs.append(epoch, batch.baseOffset);
    this.#producers.update(batch, this.#environment.clock.wallMs());
    segment.maxTimestamp = Math.max(segment.maxTimestamp, batch.newestTimestamp);
    segment.sizeBytes = position + batch.sizeBytes;
    segment.writtenBytes = segment.sizeBytes;
    segment.endOffset = batch.endOffset;
    this.#endOffset = segment.endOffset;
  }

  /** The log would end where it has got to: not if this process had written more. */
  #checkWritten(): void {
    if (this.#endOffset >= this.#options.writtenOffset) return;
    throw this.#corrupt(`the batch at offset ${this.#endOffset} was written, and is damaged or gone`);
  }

  #cutFrom(offset: Offset, goodDataFollows: boolean): void {
    this.#checkWritten();
    if (goodDataFollows && this.#options.pageCacheSurvived) {
      throw this.#corrupt(`the batch at offset ${offset} is damaged and good ones follow`);
    }
    this.#firstBadOffset = offset;
    this.#lostGoodData ||= goodDataFollows;
  }

  /** The checkpoint says where the log ends; the files still have to. */
  async #finishCut(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) return;
    await withFile(this.#environment.files, last.slot, { create: false }, async (file) => {
      if (file.sizeAtOpen < last.sizeBytes) throw this.#corrupt("the last segment lost synced bytes");
      this.#truncatedBytes += file.sizeAtOpen - last.sizeBytes;
      await file.truncate(last.sizeBytes);
      await file.sync();
    });
    last.index = new SegmentIndex(last.sizeBytes);
    await this.#environment.disk.removeFile(last.indexPath);
  }

  /** Removes the files of no segment and writes a checkpoint, which makes the removals last. All is synced by now. */
  async #persist(): Promise<void> {
    await this.#removeStrays();
    for (const segment of this.#segments) {
      if (segment.syncedBytes === segment.writtenBytes) continue;
      await withFile(this.#environment.files, segment.slot, { create: false }, (file) => file.sync());
      segment.syncedBytes = segment.writtenBytes;
    }
    const state: LogState = {
      startOffset: this.#state.startOffset,
      checkpointOffset: this.#endOffset,
      cutPending: false,
      segments: this.#segments.map(summaryOf),
      epochs: this.#epochs,
      producers: encodeProducerSnapshot(this.#endOffset, this.#producers),
      compaction: this.#state.compaction,
    };
    await this.#environment.disk.replaceFile(
      path.join(this.#options.directory, logStateFileName),
      encodeLogState(state),
    );
  }

  async #removeStrays(): Promise<void> {
    const keep = new Set<string>();
    for (const { baseOffset, generation } of this.#segments) {
      for (const kind of segmentFileKinds) keep.add(segmentFileName(baseOffset, kind, generation));
    }
    for (const name of this.#names) {
      if (parseSegmentFileName(name) === undefined || keep.has(name)) continue;
      await this.#environment.disk.removeFile(path.join(this.#options.directory, name));
    }
  }

  #corrupt(detail: string): LogError {
    return new LogError("LOG_CORRUPT", this.#options.directory, detail);
  }
}

/** Is there a whole good batch where the bad one claims to end? Then the bad one is not the torn end of the file. */
async function isGoodAfter(file: DiskFile, end: ScanEnd, to: number): Promise<boolean> {
  const next = end.position + end.claimedBytes;
  if (end.claimedBytes === 0 || next + batchHeaderBytes > to) return false;
  const header = Buffer.alloc(batchHeaderBytes);
  await file.read(next, header);
  const batch = new RecordBatchView(header);
  if (!isPlausible(batch) || (end.offset !== undefined && batch.baseOffset <= end.offset)) return false;
  const scanned = await scanBatches(file, { from: next, to, offset: undefined }, { checksums: true }, () => false);
  return scanned.position > next;
}

function totalBytes(segments: readonly Segment[]): number {
  let bytes = 0;
  for (const segment of segments) bytes += segment.sizeBytes;
  return bytes;
}
