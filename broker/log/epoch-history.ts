/**
 * Which leader epoch wrote which offsets of one log: the leader-epoch history of KIP-101, as a value with pure
 * operations. Every operation gives a new value (or the same, when nothing changes); a kept one never changes.
 *
 * It is derived from the batches, which all carry their epoch; the copy in the state file only saves the scan.
 */

/** Not an epoch: the history has none. */
export const noEpoch = -1;

export interface EpochStart {
  readonly epoch: number;
  /** First offset written in the epoch, or the log's start offset when that is higher. */
  readonly startOffset: number;
}

export interface EpochEnd {
  readonly epoch: number;
  /** One past the last offset written in the epoch. */
  readonly endOffset: number;
}

export class EpochHistory {
  static readonly empty = new EpochHistory([]);

  /** Ascending in both fields, at most one per epoch. */
  readonly entries: readonly EpochStart[];
  /** Epoch of the last entry; `noEpoch` when there is none. */
  readonly lastEpoch: number;

  private constructor(entries: readonly EpochStart[]) {
    this.entries = entries;
    this.lastEpoch = entries.at(-1)?.epoch ?? noEpoch;
  }

  /** From stored entries. Throws a RangeError when they are not strictly ascending in both fields. */
  static of(entries: readonly EpochStart[]): EpochHistory {
    let before: EpochStart | undefined;
    for (const entry of entries) {
      if (entry.epoch < 0 || entry.startOffset < 0) throw new RangeError("epoch history: a negative epoch or offset");
      if (before !== undefined && (entry.epoch <= before.epoch || entry.startOffset <= before.startOffset)) {
        throw new RangeError(`epoch history: ${show(entry)} after ${show(before)}`);
      }
      before = entry;
    }
    return entries.length === 0 ? EpochHistory.empty : new EpochHistory(entries.slice());
  }

  /**
   * Notes that `epoch` writes from `startOffset` on. The last epoch again changes nothing; a lower one is a bug and throws
   * a RangeError. Entries at or past `startOffset` have no record (their epoch wrote none that is left) and go.
   */
  append(epoch: number, startOffset: number): EpochHistory {
    if (epoch === this.lastEpoch) return this;
    if (epoch < this.lastEpoch || epoch < 0) {
      throw new RangeError(`epoch history: epoch ${epoch} at offset ${startOffset} after epoch ${this.lastEpoch}`);
    }
    return new EpochHistory([...this.truncateTo(startOffset).entries, { epoch, startOffset }]);
  }

  /** Forgets what began at `endOffset` or later. */
  truncateTo(endOffset: number): EpochHistory {
    let keep = this.entries.length;
    while (keep > 0 && this.#at(keep - 1).startOffset >= endOffset) keep -= 1;
    return this.#slice(0, keep);
  }

  /** Forgets what ended at or before `startOffset`; the epoch that holds it now begins there. The last epoch always stays. */
  raiseStart(startOffset: number): EpochHistory {
    const first = this.#indexAt(startOffset);
    if (first < 0) return this;
    const entry = this.#at(first);
    if (first === 0 && entry.startOffset === startOffset) return this;
    return new EpochHistory([{ epoch: entry.epoch, startOffset }, ...this.entries.slice(first + 1)]);
  }

  /** Epoch that wrote the record at `offset` (which the caller knows to exist); undefined below the first entry. */
  epochAt(offset: number): number | undefined {
    const index = this.#indexAt(offset);
    return index < 0 ? undefined : this.#at(index).epoch;
  }

  /**
   * What OffsetForLeaderEpoch answers: the largest epoch <= `epoch`, and where it ended. The last epoch ends at `logEnd`.
   * One whose records were all deleted ended, as far as anybody can tell, where the history begins. Undefined when the
   * history is empty or the epoch is none.
   */
  endOffsetFor(epoch: number, logEnd: number): EpochEnd | undefined {
    if (epoch < 0) return undefined;
    if (epoch < 0) return undefined;
    let index = this.entries.length - 1;
    while (index >= 0 && this.#at(index).epoch > epoch) index -= 1;
    const next = this.entries[index + 1];
    if (index < 0) return next === undefined ? undefined : { epoch, endOffset: next.startOffset };
    return { epoch: this.#at(index).epoch, endOffset: next === undefined ? logEnd : next.startOffset };
  }

  equals(other: EpochHistory): boolean {
    return (
      this.entries.length === other.entries.length &&
      this.entries.every((entry, index) => {
        const theirs = other.#at(index);
        return entry.epoch === theirs.epoch && entry.startOffset === theirs.startOffset;
      })
    );
  }

  /** Index of the last entry that begins at or before `offset`; -1 when none does. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle).startOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #at(index: number): EpochStart {
    const entry = this.entries[index];
    if (entry === undefined) throw new RangeError(`epoch history: no entry ${index}`);
    return entry;
  }

  #slice(from: number, to: number): EpochHistory {
    if (from === 0 && to === this.entries.length) return this;
    return to === from ? EpochHistory.empty : new EpochHistory(this.entries.slice(from, to));
  }
}

/**
 * Where two histories of the same partition part: the first offset from `fromOffset` on that they do not both have from
 * the same epoch, which is the lesser end when one goes on where the other stops. All below the result is common, given
 * that all below `fromOffset` is (pass the higher of the two start offsets). A result below `fromOffset` means that the
 * logs do not overlap: one ends before the other begins.
 */
export function commonEnd(
  mine: EpochHistory,
  myEnd: number,
  theirs: EpochHistory,
  theirEnd: number,
  fromOffset: number,
): number {
  const end = Math.min(myEnd, theirEnd);
  let offset = fromOffset;
  while (offset < end) {
    const epoch = mine.epochAt(offset);
    if (epoch === undefined || epoch !== theirs.epochAt(offset)) return offset;
    offset = Math.min(nextStart(mine, offset), nextStart(theirs, offset));
  }
  return end;
}

/** Where the next epoch begins after `offset`; infinity when none does. */
function nextStart(history: EpochHistory, offset: number): number {
  for (const entry of history.entries) if (entry.startOffset > offset) return entry.startOffset;
  return Number.POSITIVE_INFINITY;
}

function show(entry: EpochStart): string {
  return `epoch ${entry.epoch} from offset ${entry.startOffset}`;
}
