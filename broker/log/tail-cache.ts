/**
 * The newest chunks of all logs, in memory: the same buffers that were appended, so that followers and tail consumers
 * cost no read and no copy. One byte budget for the whole broker; the oldest written chunk of any log goes first.
 *
 * A chunk keeps alive the whole buffer that it was cut from (a produce request's frame), so that is what is counted, once
 * for all chunks that share it.
 */

import { tailCacheBytesDefault } from "./limits.ts";
import type { LogChunk, Offset } from "./log-contract.ts";

export class TailCache {
  readonly bytesMax: number;
  /** One entry for each counted chunk, in the order in which they were written. */
  #order: (LogTail | undefined)[] = [];
  #head = 0;
  readonly #sharers = new Map<ArrayBufferLike, number>();
  #bytes = 0;

  constructor(bytesMax = tailCacheBytesDefault) {
    this.bytesMax = bytesMax;
  }

  /** Bytes of the buffers that the written chunks keep alive. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The tail's next chunk was written: from now on it counts, and may go. Called by `LogTail`. */
  count(tail: LogTail, chunk: LogChunk): void {
    const memory = chunk.bytes.buffer;
    const sharers = this.#sharers.get(memory);
    if (sharers === undefined) this.#bytes += memory.byteLength;
    this.#sharers.set(memory, (sharers ?? 0) + 1);
    this.#order.push(tail);
    while (this.#bytes > this.bytesMax && this.#head < this.#order.length) {
      const oldest = this.#order[this.#head];
      this.#order[this.#head] = undefined;
      this.#head += 1;
      oldest?.dropOldest();
    }
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The chunk left its tail. Called by `LogTail`. */
  uncount(chunk: LogChunk): void {
    const memory = chunk.bytes.buffer;
    const sharers = this.#sharers.get(memory) ?? 0;
    if (sharers > 1) {
      this.#sharers.set(memory, sharers - 1);
      return;
    }
    this.#sharers.delete(memory);
    this.#bytes -= memory.byteLength;
  }
}

/** The newest chunks of one log, contiguous up to its end offset: all that are not written, and some that are. */
export class LogTail {
  readonly #cache: TailCache;
  #chunks: LogChunk[] = [];
  /** Index of the oldest chunk that is kept. */
  #head = 0;
  /** Index of the oldest chunk that is not written. */
  #unwritten = 0;
  /** Entries in the cache's order that stand for chunks which this tail dropped by itself; they are the oldest of this log. */
  #stale = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** Chunks kept. */
  get length(): number {
    return this.#chunks.length - this.#head;
  }

  push(chunk: LogChunk): void {
    this.#chunks.push(chunk);
  }

  /** The oldest `count` chunks that were not written now are. */
  written(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const chunk = this.#chunks[this.#unwritten] as LogChunk;
      this.#unwritten += 1;
      this.#cache.count(this, chunk);
    }
  }

  /** The budget is used up and this log has the oldest chunk. Called by the cache. */
  dropOldest(): void {
    if (this.#stale > 0) this.#stale -= 1;
    else this.#drop();
  }

  /** Forgets the written chunks below `offset`: they are not what the segment files hold any more. */
  dropBelow(offset: Offset): void {
    while (this.#head < this.#unwritten && (this.#chunks[this.#head] as LogChunk).endOffset <= offset) {
      this.#stale += 1;
      this.#drop();
    }
  }

  #drop(): void {
    this.#cache.uncount(this.#chunks[this.#head] as LogChunk);
    this.#chunks[this.#head] = dropped;
    this.#head += 1;
    if (this.#head > 32 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#unwritten -= this.#head;
      this.#head = 0;
    } else if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
      this.#unwritten = 0;
    }
  }

  /** Forgets all chunks (truncation, close). */
  clear(): void {
    for (let index = this.#head; index < this.#unwritten; index += 1) {
      this.#cache.uncount(this.#chunks[index] as LogChunk);
    }
    this.#stale += this.#unwritten - this.#head;
    this.#chunks = [];
    this.#head = 0;
    this.#unwritten = 0;
  }

  /** Place of the chunk that holds `offset`, for `at`; -1 when it is not in memory. Valid until the next change. */
  indexOf(offset: Offset): number {
    const chunks = this.#chunks;
    let low = this.#head;
    let high = chunks.length;
    if (low === high || offset < (chunks[low] as LogChunk).baseOffset) return -1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((chunks[middle] as LogChunk).endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low < chunks.length ? low : -1;
  }

  at(index: number): LogChunk | undefined {
    return this.#chunks[index];
  }
}

/** Stands where a chunk was, so that its buffer can be freed before the array is cut. */
const dropped: LogChunk = {
  baseOffset: 0,
  endOffset: 0,
  epoch: 0,
  bytes: Buffer.alloc(0),
  startsSegment: false,
};
