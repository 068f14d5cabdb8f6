/**
 * The log of one partition on one broker, in a folder of its own. What is in the files, and what of it a crash may take,
 * is told in `docs/formats/log.md`.
 *
 *   append ──▶ LogContent: offsets, epochs, producers, tail move at once
 *                 │
 *                 ▼
 *            LogWriter: one write at a time ──▶ writtenOffset ──▶ onProgress
 *                 │ failed                          │
 *                 ▼                                 ▼
 *            failure: no more writes           LogMaintenance: sync, now and then a checkpoint ──▶ syncedOffset
 */

import type { CompactionBounds, CompactionNeed } from "./compaction/compaction-plan.ts";
import type { CompactionResult } from "./compaction/compaction-run.ts";
import { type CompactionMeans, LogCompaction } from "./compaction/log-compaction.ts";
import { chunksOf, type ReadWish, readBatches } from "./disk-reader.ts";
import { beginsWithRecord, fromFirstRecord } from "./empty-batches.ts";
import type { EpochHistory } from "./epoch-history.ts";
import { LogContent } from "./log-content.ts";
import type { LogChunk, LogConfig, Offset, PartitionLogContract } from "./log-contract.ts";
import { cutAt, emptyAt, type LogCut } from "./log-cut.ts";
import type { LogEnvironment } from "./log-environment.ts";
import { LogError } from "./log-errors.ts";
import { LogMaintenance } from "./log-maintenance.ts";
import { type RecoveredLog, type RecoveryReport, recoverLog } from "./log-recovery.ts";
import { retentionStart } from "./log-retention.ts";
import type { SegmentSummary } from "./log-state-file.ts";
import { LogWriter } from "./log-writer.ts";
import type { Obstacle } from "./obstacle.ts";
import { FileRetiredError } from "./open-files.ts";
import type { ProducerStates } from "./producer-states.ts";
import { type Segment, segmentAt } from "./segment.ts";
import { LogTail } from "./tail-cache.ts";
import { readTail, readTailChunks } from "./tail-reader.ts";
import { findNewest, findSince, type SearchedLog, type TimedOffset } from "./timestamp-lookup.ts";
import { WriteProgress } from "./write-progress.ts";

export interface OpenLogOptions {
  readonly config: LogConfig;
  /**
   * The machine has not restarted since the log was last written, so all that was written is still there: damage that no
   * torn write explains is then an error. Left out: what was not synced may be missing, and is cut.
   */
  readonly pageCacheSurvived?: boolean;
  /** The log failed in this process and is opened again: how far it was written. What is missing of that is an error. */
  readonly writtenOffset?: Offset;
}

export class PartitionLog implements PartitionLogContract {
  /** What opening found and did. */
  readonly recovery: RecoveryReport;
  readonly #environment: LogEnvironment;
  readonly #content: LogContent;
  readonly #progress: WriteProgress;
  readonly #writer: LogWriter;
  readonly #maintenance: LogMaintenance;
  readonly #compaction: LogCompaction;
  readonly #tail: LogTail;
  #state: "open" | "cutting" | "closed" = "open";

  /** Opens or makes the log in `directory`. Rejects with a LogError LOG_CORRUPT when synced data is missing or damaged. */
  static async open(environment: LogEnvironment, directory: string, options: OpenLogOptions): Promise<PartitionLog> {
    const recovered = await recoverLog(environment, {
      directory,
      pageCacheSurvived: options.pageCacheSurvived ?? false,
      writtenOffset: options.writtenOffset ?? 0,
      indexIntervalBytes: options.config.indexIntervalBytes,
    });
    return new PartitionLog(environment, directory, options.config, recovered);
  }

  private constructor(environment: LogEnvironment, directory: string, config: LogConfig, recovered: RecoveredLog) {
    this.recovery = recovered.report;
    this.#environment = environment;
    this.#content = new LogContent(directory, config, recovered);
    this.#progress = new WriteProgress(recovered.endOffset);
    this.#maintenance = new LogMaintenance(environment, this.#content, this.#progress, recovered.syncedOffset);
    this.#tail = new LogTail(environment.tails);
    this.#compaction = new LogCompaction(environment, this.#content, this.#maintenance, {
      tail: this.#tail,
      isOpen: () => this.#state !== "closed" && this.#progress.failure === undefined,
    });
    this.#writer = new LogWriter(environment, {
      onWritten: (count, endOffset) => {
        this.#tail.written(count);
        this.#progress.rise(endOffset);
      },
      onWriteFailed: (error) => this.#progress.fail(error),
    });
    for (const segment of recovered.segments.slice(0, -1)) this.#maintenance.sealRecovered(segment);
  }

  get directory(): string {
    return this.#content.directory;
  }

  /** Moves when the rise is on the device, so that it never goes back. */
  get startOffset(): Offset {
    return this.#content.startOffset;
  }

  get endOffset(): Offset {
    return this.#content.endOffset;
  }

  get writtenOffset(): Offset {
    return this.#progress.writtenOffset;
  }

  get syncedOffset(): Offset {
    return this.#maintenance.syncedOffset;
  }

  get epochs(): EpochHistory {
    return this.#content.epochs;
  }

  /** Another object after a truncation: ask for it each time. */
  get producers(): ProducerStates {
    return this.#content.producers;
  }

  get isCompacted(): boolean {
    return this.#compaction.isWanted;
  }

  get compactedTo(): Offset {
    return this.#compaction.compactedTo;
  }

  get cleanedTo(): Offset {
    return this.#compaction.cleanedTo;
  }

  get tombstonesGoneBelow(): Offset {
    return this.#compaction.tombstonesGoneBelow;
  }

  get sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  get failure(): Error | undefined {
    return this.#progress.failure;
  }

  get lag(): Obstacle | undefined {
    return this.#environment.writes.lag;
  }

  /** The segments now, oldest first; the last one grows. */
  get segments(): readonly SegmentSummary[] {
    return this.#content.segments;
  }

  onProgress(listener: () => void): void {
    this.#progress.onProgress(listener);
  }

  reconfigure(config: LogConfig): void {
    this.#content.config = config;
  }

  /** Throws the failure of a failed log, a LogError CHUNK_INVALID or LOG_UNAVAILABLE; then nothing has changed. */
  append(chunk: LogChunk): void {
    if (this.#progress.failure !== undefined) throw this.#progress.failure;
    if (this.#state !== "open") throw this.#unavailable();
    const content = this.#content;
    content.checkChunk(chunk);
    const wallMs = this.#environment.clock.wallMs();
    let segment = content.segments.at(-1);
    if (segment === undefined || content.startsSegment(chunk)) {
      const sealed = segment;
      segment = content.addSegment(wallMs);
      this.#maintenance.segmentBegun(sealed, segment);
    }
    content.add(segment, chunk, wallMs);
    this.#tail.push(chunk);
    this.#writer.push(segment, chunk);
  }

  shouldRoll(chunkBytes: number, wallMs: number): boolean {
    return this.#content.shouldRoll(chunkBytes, wallMs);
  }

  read(
    offset: Offset,
    bound: Offset,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly Buffer[] | Promise<readonly Buffer[]> {
    const end = Math.min(bound, this.#content.endOffset);
    if (offset < this.#content.startOffset || offset >= end) return [];
    const wish = { offset, bound: end, maxBytes, atLeastOne };
    const found = readTail(this.#tail, wish) ?? this.#readDisk(wish, (bytes) => [bytes]);
    if (found instanceof Promise) return found.then((read) => this.#pastEmpty(wish, read));
    return this.#pastEmpty(wish, found);
  }

  /**
   * Leaves out what compaction has emptied as long as records follow: an answer without any makes some clients jump to the
   * high watermark. Only at the very end it stands alone, to take consumers there.
   */
  #pastEmpty(wish: ReadWish, found: readonly Buffer[]): readonly Buffer[] | Promise<readonly Buffer[]> {
    if (beginsWithRecord(found)) return found;
    const { buffers, emptyTo } = fromFirstRecord(found);
    if (buffers.length > 0 || emptyTo < 0 || emptyTo >= wish.bound) return buffers.length > 0 ? buffers : found;
    return this.read(emptyTo, wish.bound, wish.maxBytes, wish.atLeastOne);
  }

  readChunks(offset: Offset, maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]> {
    const end = this.#content.endOffset;
    if (offset >= end) return [];
    const wish = { offset, bound: end, maxBytes, atLeastOne: true };
    const fromDisk = (bytes: Buffer, segment: Segment) => chunksOf(bytes, segment, offset);
    return readTailChunks(this.#tail, offset, maxBytes) ?? this.#readDisk(wish, fromDisk);
  }

  /** Empty when the offset left the log while the read was under way: the caller looks at the offsets and asks again. */
  async #readDisk<T>(wish: ReadWish, shape: (bytes: Buffer, segment: Segment) => readonly T[]): Promise<readonly T[]> {
    const content = this.#content;
    const cuts = content.cuts;
    for (;;) {
      const segment = content.segments[segmentAt(content.segments, wish.offset)];
      if (segment === undefined || wish.offset < content.startOffset) return [];
      try {
        const bytes = await readBatches(this.#environment, segment, wish, content.config.indexIntervalBytes);
        return bytes.length === 0 || content.cuts !== cuts ? [] : shape(bytes, segment);
      } catch (error) {
        if (content.cuts !== cuts) return [];
        if (!(error instanceof FileRetiredError)) throw error;
        // Compaction has put another segment in its place, or the log was closed.
        if (content.segments.includes(segment)) return [];
      }
    }
  }

  async offsetForTimestamp(timestampMs: number, bound: Offset): Promise<TimedOffset | undefined> {
    return this.#search(bound, (log) => findSince(this.#environment, log, timestampMs));
  }

  async offsetOfMaxTimestamp(bound: Offset): Promise<TimedOffset | undefined> {
    return this.#search(bound, (log) => findNewest(this.#environment, log));
  }

  /**
   * Searches what is written. A leader's own write may lag behind the bound: then the search waits for it. When segments
   * leave the log under its feet it begins again with those that are left.
   */
  async #search(
    bound: Offset,
    find: (log: SearchedLog) => Promise<TimedOffset | undefined>,
  ): Promise<TimedOffset | undefined> {
    const wanted = Math.min(bound, this.#content.endOffset);
    await this.#progress.whenWritten(wanted).catch(() => undefined);
    for (;;) {
      const { segments, startOffset, config } = this.#content;
      const { indexIntervalBytes } = config;
      try {
        return await find({ segments, startOffset, bound: Math.min(wanted, this.writtenOffset), indexIntervalBytes });
      } catch (error) {
        if (!(error instanceof FileRetiredError) || segments === this.#content.segments) throw error;
      }
    }
  }

  truncate(offset: Offset): Promise<void> {
    return this.#cut(async () => {
      const { segments, startOffset, endOffset, epochs, compaction, config } = this.#content;
      if (offset >= endOffset) return undefined;
      if (offset <= startOffset) return emptyAt(offset, compaction.tombstonesGoneBelow);
      return cutAt(this.#environment, { segments, startOffset, epochs, compaction }, offset, config.indexIntervalBytes);
    });
  }

  restartAt(offset: Offset, tombstonesGoneBelow: Offset = 0): Promise<void> {
    return this.#cut(async () => emptyAt(offset, tombstonesGoneBelow));
  }

  #cut(plan: () => Promise<LogCut | undefined>): Promise<void> {
    if (this.#state !== "open") return Promise.reject(this.#unavailable());
    this.#state = "cutting";
    return this.#maintenance.exclusive(async () => {
      try {
        await this.#progress.whenWritten(this.#content.endOffset);
        const cut = await plan();
        if (cut !== undefined) await this.#maintenance.cut(cut, () => this.#tail.clear());
      } finally {
        if (this.#state === "cutting") this.#state = "open";
      }
    });
  }

  raiseStart(offset: Offset): Promise<void> {
    if (this.#state === "closed") return Promise.reject(this.#unavailable());
    return this.#maintenance.exclusive(() => this.#maintenance.raiseStart(offset));
  }

  sync(): Promise<void> {
    return this.#state === "closed" ? Promise.reject(this.#unavailable()) : this.#maintenance.sync();
  }

  retentionStart(wallMs: number, bound: Offset): Offset {
    const { segments, config, startOffset } = this.#content;
    return retentionStart(segments, config, { startOffset, wallMs, bound });
  }

  compactionNeed(bounds: CompactionBounds): CompactionNeed | undefined {
    return this.#compaction.need(bounds);
  }

  compact(bounds: CompactionBounds, means: CompactionMeans): Promise<CompactionResult> {
    return this.#compaction.run(bounds, means);
  }

  /** Resolves also for a failed log, which is closed as it is; rejects when the last sync fails. */
  close(clean: boolean): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    this.#state = "closed";
    return this.#lastly(async () => {
      try {
        if (this.#progress.failure === undefined) await this.#maintenance.settle(clean);
      } finally {
        await this.#end();
      }
    });
  }

  /** Cuts all first: else a power loss could bring a part of the log back, and a new one in the same folder would take it in. */
  delete(): Promise<void> {
    this.#state = "closed";
    return this.#lastly(async () => {
      await this.#stopWriting();
      if (this.#progress.failure === undefined) await this.#maintenance.cut(emptyAt(0), () => undefined);
      await this.#end();
      await this.#environment.disk.removeDirectory(this.#content.directory);
    });
  }

  /** Runs when nobody else works with the files any more. */
  async #lastly(work: () => Promise<void>): Promise<void> {
    await this.#compaction.ended();
    await this.#maintenance.exclusive(work);
  }

  async #stopWriting(): Promise<void> {
    await this.#writer.stop();
    this.#progress.end(this.#unavailable());
  }

  async #end(): Promise<void> {
    await this.#stopWriting();
    await this.#maintenance.releaseFiles();
    this.#tail.clear();
  }

  #unavailable(): LogError {
    return new LogError("LOG_UNAVAILABLE", this.directory, `the log is ${this.#state}`);
  }
}
