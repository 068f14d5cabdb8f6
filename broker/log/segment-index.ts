/**
 * The sparse index of one segment in memory: about one entry for every `indexIntervalBytes`, in typed arrays, so that it
 * takes 16 bytes an entry. The file format is `shared/segment/segment-index-format.ts`.
 */
import assert from "node:assert/strict";
import type { IndexColumns } from "../../shared/segment/segment-index-format.ts";

const firstCapacity = 8;
const none = new Uint32Array(0);
const noTimes = new Float64Array(0);

export class SegmentIndex implements IndexColumns {
  count = 0;
  offsets: Uint32Array = none;
  positions: Uint32Array = none;
  timestamps: Float64Array = noTimes;
  /** Entries for batches before this position are missing here (they are in the file, or to be scanned for). */
  coversFrom: number;
  /** Position of the newest entry, or where the coverage begins: the next entry is one interval away. */
  #lastPosition: number;

  constructor(coversFrom = 0) {
    this.coversFrom = coversFrom;
    this.#lastPosition = coversFrom;
  }

  static of(columns: IndexColumns): SegmentIndex {
    const index = new SegmentIndex();
    const { count, offsets, positions, timestamps } = columns;
    Object.assign(index, { count, offsets, positions, timestamps });
    index.#lastPosition = count === 0 ? 0 : (positions[count - 1] as number);
    return index;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.offsets.byteLength + this.positions.byteLength + this.timestamps.byteLength;
  }

  /**
   * A batch begins at `position`; makes an entry when the last one is `interval` bytes away.
   * `maxTimestampBefore`: the largest of all batches before it.
   */
  note(relativeOffset: number, position: number, maxTimestampBefore: number, interval: number): void {
    if (position - this.#lastPosition < interval) return;
    assert(relativeOffset <= 0xffff_ffff && position <= 0xffff_ffff, "a segment's offsets and positions fit 32 bits");
    if (this.count === this.offsets.length) this.#grow();
    this.offsets[this.count] = relativeOffset;
    this.positions[this.count] = position;
    this.timestamps[this.count] = maxTimestampBefore;
    this.count += 1;
    this.#lastPosition = position;
  }

  /** Position of the last known batch at or before the offset; 0, the first batch, when no entry is. */
  positionBefore(relativeOffset: number): number {
    const entry = this.#lastWhere((index) => (this.offsets[index] as number) <= relativeOffset);
    return entry < 0 ? 0 : (this.positions[entry] as number);
  }

  /** Position before which all timestamps are below `timestampMs`: where a search for it begins. */
  positionBeforeTime(timestampMs: number): number {
    const entry = this.#lastWhere((index) => (this.timestamps[index] as number) < timestampMs);
    return entry < 0 ? 0 : (this.positions[entry] as number);
  }

  /** Largest timestamp of all batches before the entry at `position`; -1 when there is no entry. */
  timestampBefore(position: number): number {
    const entry = this.#lastWhere((index) => (this.positions[index] as number) <= position);
    return entry < 0 ? -1 : (this.timestamps[entry] as number);
  }

  /** Forgets entries at or past `position`. */
  truncateTo(position: number): void {
    this.count = this.#lastWhere((index) => (this.positions[index] as number) < position) + 1;
    this.coversFrom = Math.min(this.coversFrom, position);
    this.#lastPosition = this.count === 0 ? this.coversFrom : (this.positions[this.count - 1] as number);
  }

  /** Puts the entries that were missing in front. */
  prepend(earlier: SegmentIndex): void {
    assert(earlier.coversFrom === 0, "only a complete index fills the gap");
    const keep = earlier.#lastWhere((index) => (earlier.positions[index] as number) < this.coversFrom) + 1;
    const count = keep + this.count;
    const offsets = new Uint32Array(count);
    const positions = new Uint32Array(count);
    const timestamps = new Float64Array(count);
    offsets.set(earlier.offsets.subarray(0, keep));
    positions.set(earlier.positions.subarray(0, keep));
    timestamps.set(earlier.timestamps.subarray(0, keep));
    offsets.set(this.offsets.subarray(0, this.count), keep);
    positions.set(this.positions.subarray(0, this.count), keep);
    timestamps.set(this.timestamps.subarray(0, this.count), keep);
    Object.assign(this, { count, offsets, positions, timestamps, coversFrom: 0 });
  }

  /** Last entry for which `holds` is true, given that it is true for all before; -1 when for none. */
  #lastWhere(holds: (index: number) => boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #grow(): void {
    const capacity = Math.max(firstCapacity, this.offsets.length * 2);
    const offsets = new Uint32Array(capacity);
    const positions = new Uint32Array(capacity);
    const timestamps = new Float64Array(capacity);
    offsets.set(this.offsets);
    positions.set(this.positions);
    timestamps.set(this.timestamps);
    Object.assign(this, { offsets, positions, timestamps });
  }
}
