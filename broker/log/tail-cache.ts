/**
 * The newest chunks of all logs, in memory: the same buffers that were appended, so that followers and tail consumers
 * cost no read and no copy. One byte budget for the whole broker; the oldest written chunk of any log goes first.
 *
 * A chunk keeps alive the whole buffer that it was cut from (a produce request's frame), so that is what is counted, once
 * for all chunks that share it.
 */

import { tailCacheBytesDefault } from "./limits.ts";
import type { LogChunk, Offset } from "./log-contract.ts";

/** Places of a ring: when it is made, and above which it is not kept once it is empty. Powers of two. */
const ringLengthMin = 4;
const ringLengthKept = 64;

export class TailCache {
  readonly bytesMax: number;
  /** One entry for each counted chunk, in the order in which they were written. */
  #order: (LogTail | undefined)[] = [];
  #head = 0;
  /** How many counted chunks lie in each buffer. Weak, so that an outgrown table keeps no buffer alive. */
  readonly #sharers = new WeakMap<ArrayBufferLike, number>();
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

/**
 * The newest chunks of one log, contiguous up to its end offset: all that are not written, and some that are.
 *
 * They are in a ring, and a place that a chunk left is emptied: an array that was thrown away with chunks in it would keep
 * their buffers alive until the next collection of the whole heap (docs/adr/0007).
 */
export class LogTail {
  readonly #cache: TailCache;
  /** As long as a power of two; the chunk of place `n` is at `n` modulo that. */
  #ring: (LogChunk | undefined)[] = [];
  /** Place of the oldest chunk that is kept. Places only rise. */
  #head = 0;
  /** Place of the oldest chunk that is not written. */
  #unwritten = 0;
  /** Place of the next chunk. */
  #end = 0;
  /** Entries in the cache's order that stand for chunks which this tail dropped by itself; they are the oldest of this log. */
  #stale = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** Chunks kept. */
  get length(): number {
    return this.#end - this.#head;
  }

  push(chunk: LogChunk): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[this.#end & (this.#ring.length - 1)] = chunk;
    this.#end += 1;
  }

  /** The oldest `count` chunks that were not written now are. */
  written(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const chunk = this.at(this.#unwritten) as LogChunk;
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
    while (this.#head < this.#unwritten && (this.at(this.#head) as LogChunk).endOffset <= offset) {
      this.#stale += 1;
      this.#drop();
    }
  }

  #drop(): void {
    this.#cache.uncount(this.#take());
    if (this.#head === this.#end && this.#ring.length > ringLengthKept) this.#ring = [];
  }

  /** Forgets all chunks (truncation, close). */
  clear(): void {
    this.#stale += this.#unwritten - this.#head;
    while (this.#head < this.#unwritten) this.#cache.uncount(this.#take());
    while (this.#head < this.#end) this.#take();
    this.#unwritten = this.#end;
    this.#ring = [];
  }

  /** Place of the chunk that holds `offset`, for `at`; -1 when it is not in memory. Valid until the next change. */
  indexOf(offset: Offset): number {
    let low = this.#head;
    let high = this.#end;
    if (low === high || offset < (this.at(low) as LogChunk).baseOffset) return -1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.at(middle) as LogChunk).endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#end ? low : -1;
  }

  /** The chunk at a place from `indexOf`, or after it; undefined past the last. */
  at(place: number): LogChunk | undefined {
    return place < this.#end ? this.#ring[place & (this.#ring.length - 1)] : undefined;
  }

  #take(): LogChunk {
    const index = this.#head & (this.#ring.length - 1);
    const chunk = this.#ring[index] as LogChunk;
    this.#ring[index] = undefined;
    this.#head += 1;
    return chunk;
  }

  #grow(): void {
    const old = this.#ring;
    const ring: (LogChunk | undefined)[] = Array.from({ length: Math.max(ringLengthMin, 2 * old.length) });
    for (let place = this.#head; place < this.#end; place += 1)
      ring[place & (ring.length - 1)] = old[place & (old.length - 1)];
    old.fill(undefined);
    this.#ring = ring;
  }
}
