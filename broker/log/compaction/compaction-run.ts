/**
 * One pass over one log (docs/adr/0009):
 *
 *   read the dirty part ──▶ map: newest offset of each key, as far as it holds
 *                             │
 *   group by group of segments, oldest first: read, leave out what is replaced, write aside, sync ──▶ exchange
 *
 * Nothing of the log is held while it reads and writes: what it has made is thrown away when the log has changed under it.
 */
import { RecordBatchView } from "../../../shared/kafka/records/record-batch.ts";
import type { LogContent } from "../log-content.ts";
import type { Offset } from "../log-contract.ts";
import type { LogEnvironment } from "../log-environment.ts";
import type { SegmentSwap } from "../log-maintenance.ts";
import type { CompactionState } from "../log-state-file.ts";
import { FileRetiredError } from "../open-files.ts";
import type { ProducerStates } from "../producer-states.ts";
import type { Segment } from "../segment.ts";
import { BatchCleaner, type CleaningRules, emptiedHeader } from "./batch-cleaning.ts";
import type { CompactionPace } from "./compaction-pace.ts";
import { groupSegments } from "./compaction-plan.ts";
import type { KeyHash } from "./key-hash.ts";
import { blockBytes } from "./limits.ts";
import { OffsetMap } from "./offset-map.ts";
import { RecordWalk } from "./record-walk.ts";
import { SegmentBlocks } from "./segment-blocks.ts";
import { SegmentOutput } from "./segment-output.ts";

/** What a run needs of the log it works on. */
export interface CompactedLog {
  readonly environment: LogEnvironment;
  readonly content: LogContent;
  /** Makes the exchange last; false when the log is another one by now. See `LogMaintenance.exchange`. */
  exchange(swap: SegmentSwap | undefined, compaction: CompactionState): Promise<boolean>;
}

export interface CompactionOrder {
  /** The dirty part to take in, [from, to): whole sealed segments end at `to`. */
  readonly from: Offset;
  readonly to: Offset;
  readonly tombstonesKeptFrom: Offset;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly mapBytesMax: number;
  readonly keys: KeyHash;
  readonly pace: CompactionPace;
}

export interface CompactionResult {
  /** `stopped`: the log closed, failed or changed; what was exchanged until then stays. */
  readonly kind: "done" | "stopped";
  readonly recordsRemoved: number;
  /** Share of the map that was used. */
  readonly mapUse: number;
}

/** What became of one group of segments. */
type CleanedGroup =
  | { readonly kind: "stopped" }
  | {
      readonly kind: "cleaned";
      /** Undefined: nothing of it has to change. */
      readonly made: Segment | undefined;
      readonly cleaner: BatchCleaner;
    };

export class CompactionRun {
  readonly #log: CompactedLog;
  readonly #order: CompactionOrder;
  readonly #map: OffsetMap;
  readonly #block = Buffer.allocUnsafeSlow(blockBytes);
  readonly #batch = new RecordBatchView(Buffer.alloc(0));
  readonly #cuts: number;
  readonly #startOffset: Offset;
  #recordsRemoved = 0;

  constructor(log: CompactedLog, order: CompactionOrder) {
    this.#log = log;
    this.#order = order;
    this.#cuts = log.content.cuts;
    this.#startOffset = log.content.startOffset;
    // Every record has an offset of its own: there are no more keys than offsets.
    this.#map = new OffsetMap(Math.max(1, order.to - order.from), order.mapBytesMax);
  }

  /** Rejects with the disk's error, or a LogError LOG_CORRUPT; the log is then as it was, or failed by itself. */
  async run(): Promise<CompactionResult> {
    let isDone = false;
    try {
      const to = await this.#fillMap();
      isDone = to !== undefined && (await this.#cleanAll(to));
    } catch (error) {
      // What it read has left the log: no fault of the disk.
      if (!(error instanceof FileRetiredError) && !this.#isStopped) throw error;
    }
    return {
      kind: isDone ? "done" : "stopped",
      recordsRemoved: this.#recordsRemoved,
      mapUse: this.#map.size / this.#map.keysMax,
    };
  }

  get #isStopped(): boolean {
    return this.#order.pace.isStopped || this.#log.content.cuts !== this.#cuts;
  }

  /** Notes the newest offset of each key; answers up to where all are noted, undefined when stopped. */
  async #fillMap(): Promise<Offset | undefined> {
    const { from, to } = this.#order;
    const { environment, content } = this.#log;
    for (const segment of content.segments) {
      if (segment.baseOffset >= to) break;
      if (segment.endOffset <= from) continue;
      const index = await environment.indexes.get(segment, content.config.indexIntervalBytes);
      const position = index.positionBefore(from - segment.baseOffset);
      const blocks = this.#blocksOf(segment, position);
      for (let bytes = await blocks.next(); bytes !== undefined; bytes = await blocks.next()) {
        const full = await this.#noteKeys(bytes);
        if (full !== undefined) return full;
      }
      if (this.#isStopped) return undefined;
    }
    return to;
  }

  /** Notes the keys of whole batches; answers the offset of the first record for which the map has no room. */
  async #noteKeys(bytes: Buffer): Promise<Offset | undefined> {
    const { from, keys, pace } = this.#order;
    const batch = this.#batch;
    const walk = new RecordWalk();
    for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
      batch.moveTo(bytes, at);
      if (batch.endOffset <= from || batch.isControl || batch.isTransactional || !walk.begin(batch)) continue;
      const baseOffset = batch.baseOffset;
      while (walk.next()) {
        const offset = baseOffset + walk.offsetDelta;
        if (walk.keyLength < 0 || offset < from) continue;
        keys.hash(walk.bytes, walk.keyStart, walk.keyStart + walk.keyLength);
        if (!this.#map.put(keys.words, offset)) return offset;
      }
      if (pace.isSliceOver(batch.sizeBytes)) {
        await pace.giveWay();
        batch.moveTo(bytes, at);
      }
    }
    return undefined;
  }

  async #cleanAll(to: Offset): Promise<boolean> {
    const { content } = this.#log;
    const rules: CleaningRules = { ...this.#order, map: this.#map, from: this.#startOffset, to };
    const kept = newestBatches(content.producers, to);
    const groups = groupSegments(content.segments, to, content.config);
    // Known before anything is left out, and written with the first exchange: the pass may not come to its end.
    const cleanedTo = Math.max(content.compaction.cleanedTo, to);
    content.compaction = { ...content.compaction, cleanedTo };
    let { tombstonesGoneBelow } = content.compaction;
    let newestHorizonMs = -1;
    for (const [index, group] of groups.entries()) {
      const cleaned = await this.#cleanGroup(group, rules, kept);
      if (cleaned.kind === "stopped") return false;
      const { made, cleaner } = cleaned;
      tombstonesGoneBelow = Math.max(tombstonesGoneBelow, cleaner.tombstonesGoneBelow);
      newestHorizonMs = Math.max(newestHorizonMs, cleaner.newestHorizonMs);
      this.#recordsRemoved += cleaner.recordsRemoved;
      const isLast = index === groups.length - 1;
      if (made === undefined && !isLast) continue;
      const compactedTo = Math.max(content.compaction.compactedTo, to);
      const done = { compactedTo, cleanedTo, tombstonesGoneBelow, newestHorizonMs };
      const state = isLast ? done : { ...content.compaction, tombstonesGoneBelow };
      const swap = made === undefined ? undefined : { old: group, made };
      if (!(await this.#log.exchange(swap, state))) {
        if (made !== undefined) await this.#discard(made);
        return false;
      }
    }
    return true;
  }

  async #cleanGroup(group: readonly Segment[], rules: CleaningRules, kept: ReadonlySet<Offset>): Promise<CleanedGroup> {
    if (group.length === 1) {
      const looked = new BatchCleaner(rules);
      const changes = await this.#changes(group[0] as Segment, looked);
      if (changes === undefined) return { kind: "stopped" };
      if (!changes) return { kind: "cleaned", made: undefined, cleaner: looked };
    }
    const { environment, content } = this.#log;
    const { pace } = this.#order;
    const { directory, config } = content;
    const output = new SegmentOutput(environment, group, { directory, interval: config.indexIntervalBytes, pace });
    const cleaner = new BatchCleaner(rules);
    try {
      await output.begin();
      for (const segment of group) await this.#copy(segment, { cleaner, output, kept });
      if (!this.#isStopped) return { kind: "cleaned", made: await output.end(), cleaner };
    } catch (error) {
      await output.discard().catch(() => undefined);
      throw error;
    }
    await output.discard().catch(() => undefined);
    return { kind: "stopped" };
  }

  /** Would cleaning change anything of the segment? Undefined when stopped. */
  async #changes(segment: Segment, cleaner: BatchCleaner): Promise<boolean | undefined> {
    const { pace } = this.#order;
    const blocks = this.#blocksOf(segment, 0);
    const batch = this.#batch;
    for (let bytes = await blocks.next(); bytes !== undefined; bytes = await blocks.next()) {
      for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
        const { kind } = cleaner.clean(batch.moveTo(bytes, at));
        if (kind === "rewritten" || (kind === "empty" && batch.recordCount > 0)) return true;
        if (!pace.isSliceOver(batch.sizeBytes)) continue;
        await pace.giveWay();
        batch.moveTo(bytes, at);
      }
    }
    return this.#isStopped ? undefined : false;
  }

  /** Copies a segment's batches to the output, but for what the cleaner leaves out. */
  async #copy(
    segment: Segment,
    to: { readonly cleaner: BatchCleaner; readonly output: SegmentOutput; readonly kept: ReadonlySet<Offset> },
  ): Promise<void> {
    const { pace } = this.#order;
    const { cleaner, output, kept } = to;
    const blocks = this.#blocksOf(segment, 0);
    const batch = this.#batch;
    for (let bytes = await blocks.next(); bytes !== undefined; bytes = await blocks.next()) {
      for (let at = 0; at < bytes.length; at += batch.sizeBytes) {
        const cleaned = cleaner.clean(batch.moveTo(bytes, at));
        if (cleaned.kind === "same") output.add(batch.bytes);
        else if (cleaned.kind === "rewritten") output.add(cleaned.bytes);
        else if (kept.has(batch.baseOffset) && batch.hasProducerId) output.add(emptiedHeader(batch));
        else output.skip(batch);
        if (!pace.isSliceOver(batch.sizeBytes)) continue;
        await pace.giveWay();
        batch.moveTo(bytes, at);
      }
      // The block is used again.
      await output.flush();
      if (this.#isStopped) return;
    }
  }

  #blocksOf(segment: Segment, position: number): SegmentBlocks {
    return new SegmentBlocks(this.#log.environment, segment, {
      position,
      pace: this.#order.pace,
      block: this.#block,
    });
  }

  async #discard({ slot }: Segment): Promise<void> {
    const { files, disk } = this.#log.environment;
    await files.retire(slot);
    await disk.removeFile(slot.path).catch(() => undefined);
  }
}

/** Base offset of the newest batch of each producer below `to`: what its next sequence is checked against. */
function newestBatches(producers: ProducerStates, to: Offset): ReadonlySet<Offset> {
  const newest = new Set<Offset>();
  for (const { batches } of producers.all()) {
    const batch = batches.findLast(({ baseOffset }) => baseOffset < to);
    if (batch !== undefined) newest.add(batch.baseOffset);
  }
  return newest;
}
