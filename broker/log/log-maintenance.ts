/**
 * What changes a log's files other than by appending: sync, checkpoint, cut, rise of the start, close. One at a time, in
 * the order in which they were asked for. The order of the steps in here is what a crash at any point has to survive; it
 * is told in `docs/formats/log.md`.
 */
import path from "node:path";
import { logStateFileName } from "../../shared/segment/segment-names.ts";
import { checkpointBytes, indexSaveBytes } from "./limits.ts";
import { exchanged, type LogContent } from "./log-content.ts";
import type { Offset } from "./log-contract.ts";
import type { LogCut } from "./log-cut.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { type CompactionState, encodeLogState, type LogState, type SegmentSummary } from "./log-state-file.ts";
import { FileSlot, withFile } from "./open-files.ts";
import { encodeProducerSnapshot } from "./producer-snapshot.ts";
import { type Segment, summaryOf } from "./segment.ts";
import type { WriteProgress } from "./write-progress.ts";

export class LogMaintenance {
  readonly #environment: LogEnvironment;
  readonly #content: LogContent;
  readonly #progress: WriteProgress;
  readonly #statePath: string;
  #syncedOffset: Offset;
  /** A file was made since the last checkpoint: its folder entry is not on the device before the next one. */
  #isFolderDirty = false;
  #last: Promise<unknown> = Promise.resolve();
  /** A sync that waits for its turn: all who ask meanwhile share it. */
  #nextSync: Promise<void> | undefined;

  constructor(environment: LogEnvironment, content: LogContent, progress: WriteProgress, syncedOffset: Offset) {
    this.#environment = environment;
    this.#content = content;
    this.#progress = progress;
    this.#syncedOffset = syncedOffset;
    this.#statePath = path.join(content.directory, logStateFileName);
    this.#isFolderDirty = syncedOffset < content.endOffset;
  }

  /** All below it is on the device, and would be found there after a power loss. */
  get syncedOffset(): Offset {
    return this.#syncedOffset;
  }

  /** Runs when all that was asked for before has ended, well or not. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  sync(): Promise<void> {
    if (this.#progress.failure !== undefined) return Promise.reject(this.#progress.failure);
    if (this.#syncedOffset === this.#progress.writtenOffset) return Promise.resolve();
    this.#nextSync ??= this.exclusive(() => {
      this.#nextSync = undefined;
      if (this.#isFolderDirty || this.#content.uncheckedBytes >= checkpointBytes) return this.checkpoint();
      return this.#syncFiles();
    });
    return this.#nextSync;
  }

  /** Makes the log's files safe before it is closed. `clean`: so that the next open finds nothing to walk. */
  async settle(clean: boolean): Promise<void> {
    await this.#progress.whenWritten(this.#content.endOffset);
    if (clean && (this.#content.uncheckedBytes > 0 || this.#isFolderDirty)) await this.checkpoint();
    else await this.#syncFiles();
  }

  /**
   * A segment was begun. In the background, the index of the one before it and the producers at its begin are written;
   * both can be made again from the batches, so an error there is none of the log.
   */
  segmentBegun(sealed: Segment | undefined, segment: Segment): void {
    this.#isFolderDirty = true;
    if (segment.baseOffset === 0) return;
    const snapshot = encodeProducerSnapshot(segment.baseOffset, this.#content.producers);
    this.exclusive(async () => {
      await this.#progress.whenWritten(segment.baseOffset);
      if (sealed !== undefined && this.#content.segments.includes(sealed)) await this.#sealIndex(sealed);
      if (this.#content.segments.includes(segment)) await this.#writeAside(segment.snapshotPath, snapshot);
    }).catch(() => undefined);
  }

  /** Recovery walked a segment that was sealed: its index is there, and is to be saved as if it had been sealed just now. */
  sealRecovered(segment: Segment): void {
    if (segment.index === undefined) return;
    this.exclusive(async () => {
      if (this.#content.segments.includes(segment)) await this.#sealIndex(segment);
    }).catch(() => undefined);
  }

  async #sealIndex(segment: Segment): Promise<void> {
    const { indexes } = this.#environment;
    await indexes.save(segment, this.#content.config.indexIntervalBytes).catch(() => undefined);
    indexes.seal(segment);
  }

  async #writeAside(file: string, bytes: Buffer): Promise<void> {
    const { files } = this.#environment;
    const slot = new FileSlot(file);
    try {
      await withFile(files, slot, { create: true }, (open) => open.write(0, [bytes]));
    } finally {
      await files.retire(slot);
    }
  }

  async #syncFiles(segments = this.#content.segments): Promise<void> {
    if (this.#progress.failure !== undefined) throw this.#progress.failure;
    const offset = this.#progress.writtenOffset;
    const isWhole = segments === this.#content.segments && !this.#isFolderDirty;
    for (const segment of segments) {
      if (segment.syncedBytes === segment.writtenBytes) continue;
      const bytes = segment.writtenBytes;
      await this.#onDisk(() =>
        withFile(this.#environment.files, segment.slot, { create: false }, (file) => file.sync()),
      );
      segment.syncedBytes = bytes;
    }
    if (isWhole) this.#syncedOffset = Math.max(this.#syncedOffset, offset);
  }

  /**
   * Syncs all that is appended now and writes the state file: recovery will begin here. The state is taken first: what is
   * appended while this waits must not be in it, above all not as a producer's sequence that might be lost.
   */
  async checkpoint(change: CheckpointChange = {}): Promise<void> {
    const content = this.#content;
    content.producers.expire(this.#environment.clock.wallMs());
    const state = changedState(content.stateNow(change.startOffset ?? content.startOffset), change);
    const unchecked = content.uncheckedBytes;
    const growing = content.segments.at(-1);
    const segmentsThen = content.segments;
    await this.#progress.whenWritten(state.checkpointOffset);
    if (growing !== undefined && growing.writtenBytes - growing.indexSavedBytes >= indexSaveBytes) {
      await this.#environment.indexes.save(growing, content.config.indexIntervalBytes).catch(() => undefined);
    }
    await this.#syncFiles();
    await this.#onDisk(() => this.#environment.disk.replaceFile(this.#statePath, encodeLogState(state)));
    content.uncheckedBytes -= unchecked;
    this.#syncedOffset = Math.max(this.#syncedOffset, state.checkpointOffset);
    // A segment begun meanwhile may have missed the sync of the folder.
    if (content.segments === segmentsThen) this.#isFolderDirty = false;
  }

  /** An error of the disk in here ends the log: what the device holds is no longer known. */
  async #onDisk<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      this.#progress.fail(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /**
   * Cuts the log. The state file first says what is left and that a cut is under way, then the files follow, then the
   * state file says that it is done: after a crash in between, recovery finishes it. `onDecided` is called when there is
   * no way back.
   */
  async cut(cut: LogCut, onDecided: () => void): Promise<void> {
    await this.#syncFiles(this.#content.segments.slice(0, cut.keep));
    const state: LogState = {
      startOffset: cut.startOffset,
      checkpointOffset: cut.endOffset,
      cutPending: true,
      segments: cutSummaries(this.#content.segments, cut),
      epochs: cut.epochs,
      producers: encodeProducerSnapshot(cut.endOffset, cut.producers),
      compaction: cut.compaction,
    };
    const { disk } = this.#environment;
    await this.#onDisk(async () => {
      await disk.replaceFile(this.#statePath, encodeLogState(state));
      const removed = this.#content.applyCut(cut);
      this.#progress.reset(cut.endOffset);
      this.#syncedOffset = cut.endOffset;
      this.#isFolderDirty = false;
      onDecided();
      for (const segment of removed) await this.#removeSegment(segment);
      await this.#shorten(this.#content.segments.at(-1));
      await disk.replaceFile(this.#statePath, encodeLogState({ ...state, cutPending: false }));
    });
  }

  /** Makes the file of the segment where the log now ends as long as it is. */
  async #shorten(segment: Segment | undefined): Promise<void> {
    if (segment === undefined) return;
    const { disk, files, indexes } = this.#environment;
    indexes.release(segment);
    await disk.removeFile(segment.indexPath);
    await withFile(files, segment.slot, { create: false }, async (file) => {
      await file.truncate(segment.sizeBytes);
      await file.sync();
    });
  }

  async raiseStart(offset: Offset): Promise<void> {
    const content = this.#content;
    const start = Math.min(offset, content.endOffset);
    if (start <= content.startOffset) return;
    await this.checkpoint({ startOffset: start });
    content.raiseStart(start);
    for (const segment of content.takeSegmentsBelowStart()) {
      await this.#onDisk(() => this.#removeSegment(segment));
    }
  }

  /**
   * Puts a segment that compaction made, and synced, in the place of others; or only notes how far it has come. The state
   * file is the one step in which it happens: before it the new file is nobody's, after it the old ones are, and recovery
   * removes what is nobody's. Must run in `exclusive`. `onDecided` is called when there is no way back. Answers false, and
   * has changed nothing, when the old segments are no longer all part of the log.
   */
  async exchange(swap: SegmentSwap | undefined, compaction: CompactionState, onDecided: () => void): Promise<boolean> {
    const content = this.#content;
    if (swap !== undefined && !swap.old.every((segment) => content.segments.includes(segment))) return false;
    await this.checkpoint({ swap, compaction });
    content.compaction = compaction;
    onDecided();
    if (swap === undefined) return true;
    const { old, made } = swap;
    content.exchange(old, made);
    const { indexes } = this.#environment;
    for (const segment of old) await this.#onDisk(() => this.#removeSegment(segment, made.snapshotPath));
    await indexes.save(made, content.config.indexIntervalBytes).catch(() => undefined);
    indexes.seal(made);
    return true;
  }

  async #removeSegment(segment: Segment, keep?: string): Promise<void> {
    const { disk, files, indexes } = this.#environment;
    indexes.release(segment);
    await files.retire(segment.slot);
    await disk.removeFile(segment.slot.path);
    await disk.removeFile(segment.indexPath);
    if (segment.snapshotPath !== keep) await disk.removeFile(segment.snapshotPath);
  }

  /** Gives back descriptors and memory. */
  async releaseFiles(): Promise<void> {
    for (const segment of this.#content.segments) {
      this.#environment.indexes.release(segment);
      await this.#environment.files.retire(segment.slot);
    }
  }
}

/** What compaction made of segments that follow one another. */
export interface SegmentSwap {
  readonly old: readonly Segment[];
  /** Its file is written whole and synced. */
  readonly made: Segment;
}

/** What becomes true with a checkpoint. */
interface CheckpointChange {
  readonly startOffset?: Offset;
  readonly swap?: SegmentSwap | undefined;
  readonly compaction?: CompactionState;
}

function changedState(state: LogState, { swap, compaction = state.compaction }: CheckpointChange): LogState {
  if (swap === undefined) return { ...state, compaction };
  const old = state.segments.filter(({ baseOffset }) => swap.old.some((segment) => segment.baseOffset === baseOffset));
  return { ...state, compaction, segments: exchanged(state.segments, old, summaryOf(swap.made)) };
}

function cutSummaries(segments: readonly Segment[], cut: LogCut): SegmentSummary[] {
  const summaries = segments.slice(0, cut.keep).map(summaryOf);
  const last = summaries.pop();
  if (last === undefined) return [];
  const { endOffset, lastBytes: sizeBytes, maxTimestamp } = cut;
  return [...summaries, { ...last, endOffset, sizeBytes, maxTimestamp }];
}
