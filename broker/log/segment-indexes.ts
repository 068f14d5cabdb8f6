/**
 * Loads, makes again and saves the indexes of segments. Those of growing segments live with their segment; those of sealed
 * ones are kept within a budget for the whole broker, the least recently used is dropped first.
 */
import type { Disk } from "../../shared/ports/disk.ts";
import { decodeSegmentIndex, encodeSegmentIndex } from "../../shared/segment/segment-index-format.ts";
import { scanBatches } from "./batch-scanner.ts";
import { indexCacheBytesMax } from "./limits.ts";
import { FileSlot, type OpenFiles, withFile } from "./open-files.ts";
import type { Segment } from "./segment.ts";
import { SegmentIndex } from "./segment-index.ts";

export class SegmentIndexes {
  readonly #disk: Disk;
  readonly #files: OpenFiles;
  readonly #bytesMax: number;
  /** Sealed segments whose index is in memory, least recently used first, with its size. */
  readonly #sealed = new Map<Segment, number>();
  readonly #loading = new Map<Segment, Promise<SegmentIndex>>();
  #bytes = 0;

  constructor(disk: Disk, files: OpenFiles, bytesMax = indexCacheBytesMax) {
    this.#disk = disk;
    this.#files = files;
    this.#bytesMax = bytesMax;
  }

  /** Memory that the indexes of sealed segments take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The whole index of a segment, at once when it is in memory. `interval`: bytes between entries if it is made again. */
  get(segment: Segment, interval: number): SegmentIndex | Promise<SegmentIndex> {
    const index = segment.index;
    if (index === undefined || index.coversFrom > 0) return this.#loadOnce(segment, interval);
    const size = this.#sealed.get(segment);
    if (size !== undefined) {
      this.#sealed.delete(segment);
      this.#sealed.set(segment, size);
    }
    return index;
  }

  /** The segment grows no more: its index in memory is now one that can be dropped. */
  seal(segment: Segment): void {
    const index = segment.index;
    if (index === undefined || this.#sealed.has(segment)) return;
    this.#sealed.set(segment, index.bytes);
    this.#bytes += index.bytes;
    for (const [oldest, size] of this.#sealed) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#sealed.delete(oldest);
      this.#bytes -= size;
      oldest.index = undefined;
    }
  }

  /** The segment is gone, or grows again: its index is no longer this cache's to drop. */
  release(segment: Segment): void {
    const size = this.#sealed.get(segment);
    if (size === undefined) return;
    this.#sealed.delete(segment);
    this.#bytes -= size;
  }

  /**
   * Writes the index file for what is written of the segment. Not synced: a torn file fails its checksum. An error of the
   * disk rejects; the index can always be made again.
   */
  async save(segment: Segment, interval: number): Promise<void> {
    const index = await this.get(segment, interval);
    const covered = segment.writtenBytes;
    let count = index.count;
    while (count > 0 && (index.positions[count - 1] as number) >= covered) count -= 1;
    const { offsets, positions, timestamps } = index;
    const bytes = encodeSegmentIndex(segment.baseOffset, covered, { count, offsets, positions, timestamps });
    const slot = new FileSlot(segment.indexPath);
    try {
      await withFile(this.#files, slot, { create: true }, (file) => file.write(0, [bytes]));
    } finally {
      await this.#files.retire(slot);
    }
    segment.indexSavedBytes = covered;
  }

  #loadOnce(segment: Segment, interval: number): Promise<SegmentIndex> {
    let loading = this.#loading.get(segment);
    if (loading === undefined) {
      loading = this.#load(segment, interval).finally(() => this.#loading.delete(segment));
      this.#loading.set(segment, loading);
    }
    return loading;
  }

  async #load(segment: Segment, interval: number): Promise<SegmentIndex> {
    const needed = segment.index?.coversFrom ?? segment.writtenBytes;
    const stored = await this.#disk.readFile(segment.indexPath);
    const decoded = stored === undefined ? undefined : decodeSegmentIndex(stored, segment.baseOffset);
    const earlier = decoded === undefined ? new SegmentIndex() : SegmentIndex.of(decoded.columns);
    if (earlier.count > 0) earlier.truncateTo(needed);
    if (decoded === undefined || decoded.coveredBytes < needed) await this.#scan(segment, earlier, needed, interval);
    const growing = segment.index;
    if (growing !== undefined) {
      growing.prepend(earlier);
      return growing;
    }
    segment.index = earlier;
    this.seal(segment);
    return earlier;
  }

  /** Adds the entries from the last one up to position `to`. */
  async #scan(segment: Segment, index: SegmentIndex, to: number, interval: number): Promise<void> {
    const from = index.count === 0 ? 0 : (index.positions[index.count - 1] as number);
    let timestamp = index.timestampBefore(from);
    await withFile(this.#files, segment.slot, { create: false }, (file) =>
      scanBatches(file, { from, to, offset: undefined }, { checksums: false }, (batch, position) => {
        index.note(batch.baseOffset - segment.baseOffset, position, timestamp, interval);
        timestamp = Math.max(timestamp, batch.newestTimestamp);
        return true;
      }),
    );
  }
}
