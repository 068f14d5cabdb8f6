import type { Writable } from "node:stream";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";

/** Chunks given to the socket are cut off the list's front in steps of this many. */
const chunksCutLength = 256;

/** Collects the outboxes that have something to send, and flushes all of them once the turn's events are handled. */
export class TurnFlusher {
  readonly #timers: Timers;
  #waiting: Outbox[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(outbox: Outbox): void {
    this.#waiting.push(outbox);
    if (this.#waiting.length === 1) this.#timers.afterTurn(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outbox of waiting) outbox.flush();
  }
}

export interface OutboxOptions {
  readonly flusher: TurnFlusher;
  readonly clock: Clock;
  /** Bytes given to the socket before it has taken the ones before; also the step in which progress is seen. */
  readonly writeBytesMax: number;
  /** The operating system took so many bytes (or the socket failed and they are lost). */
  readonly onSent: (bytes: number) => void;
}

/**
 * What waits to be sent on one connection. Everything that one turn of the event loop produced leaves in one writev;
 * chunks are handed to the socket as they are, never joined or copied.
 *
 * A slow peer keeps bytes here: `unsentBytes` is what its connection is bounded by, `stuckSinceMs` shows whether it
 * reads at all.
 */
export class Outbox {
  readonly #socket: Writable;
  readonly #options: OutboxOptions;
  #chunks: Buffer[] = [];
  /** Index of the first chunk not given to the socket. */
  #next = 0;
  #unsentBytes = 0;
  #writingBytes = 0;
  #planned = false;
  #closed = false;
  #onDrained: (() => void) | undefined;
  #stuckSinceMs: number | undefined;

  constructor(socket: Writable, options: OutboxOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Bytes that the operating system has not taken. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** When bytes were last taken, or began to wait; undefined while none wait. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs;
  }

  /** Takes the chunks; they must not change until they are sent. Returns their bytes; 0 when the connection is closed. */
  send(chunks: readonly Buffer[]): number {
    if (this.#closed) return 0;
    let bytes = 0;
    for (const chunk of chunks) {
      bytes += chunk.length;
      this.#chunks.push(chunk);
    }
    this.#unsentBytes += bytes;
    this.#stuckSinceMs ??= this.#options.clock.monotonicMs();
    if (!this.#planned) {
      this.#planned = true;
      this.#options.flusher.add(this);
    }
    return bytes;
  }

  flush(): void {
    this.#planned = false;
    if (this.#closed) return;
    let bytes = 0;
    const room = this.#options.writeBytesMax - this.#writingBytes;
    const first = this.#next;
    let end = first;
    while (end < this.#chunks.length && bytes < room) {
      bytes += (this.#chunks[end] as Buffer).length;
      end += 1;
    }
    if (end === first) return;
    this.#writingBytes += bytes;
    this.#socket.cork();
    for (let index = first; index < end; index += 1) {
      const chunk = this.#chunks[index] as Buffer;
      if (index === end - 1) this.#socket.write(chunk, () => this.#taken(bytes));
      else this.#socket.write(chunk);
    }
    this.#next = end;
    if (end === this.#chunks.length || end >= chunksCutLength) {
      this.#chunks = this.#chunks.slice(end);
      this.#next = 0;
    }
    this.#socket.uncork();
  }

  /** Calls once everything is sent, at once when nothing waits. */
  whenDrained(drained: () => void): void {
    if (this.#unsentBytes === 0) drained();
    else this.#onDrained = drained;
  }

  /** Drops what was not sent; nothing can be sent any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const lost = this.#unsentBytes;
    this.#chunks = [];
    this.#next = 0;
    this.#unsentBytes = 0;
    this.#stuckSinceMs = undefined;
    if (lost > 0) this.#options.onSent(lost);
  }

  #taken(bytes: number): void {
    if (this.#closed) return;
    this.#writingBytes -= bytes;
    this.#unsentBytes -= bytes;
    this.#stuckSinceMs = this.#unsentBytes > 0 ? this.#options.clock.monotonicMs() : undefined;
    if (this.#next < this.#chunks.length) this.flush();
    this.#options.onSent(bytes);
    if (this.#unsentBytes > 0) return;
    const drained = this.#onDrained;
    this.#onDrained = undefined;
    drained?.();
  }
}
