/**
 * Writes the chunks of one log in order, one write at a time. What comes while a write is under way is joined into the
 * next, up to `writeBytesMax` and `writeBuffersMax`, and never across the begin of a segment.
 */
import type { DiskFile } from "../../shared/ports/disk.ts";
import { writeBuffersMax, writeBytesMax } from "./limits.ts";
import type { LogChunk, Offset } from "./log-contract.ts";
import type { OpenFiles } from "./open-files.ts";
import type { Segment } from "./segment.ts";
import type { WriteSlots } from "./write-slots.ts";

export interface WriterListener {
  /** The oldest `count` chunks that were pushed are written; the last of them ends at `endOffset`. */
  onWritten(count: number, endOffset: Offset): void;
  /** A write failed; none will be started any more. What was under way may be written in part. */
  onWriteFailed(error: Error): void;
}

export class LogWriter {
  readonly #files: OpenFiles;
  readonly #slots: WriteSlots;
  readonly #listener: WriterListener;
  readonly #begin = () => this.#beginWrite();
  /** What is not written, oldest first, and the segment of each. */
  #chunks: LogChunk[] = [];
  #segments: Segment[] = [];
  #isWriting = false;
  #isStopped = false;
  /** Who waits for the write under way after `stop`. */
  readonly #idle: (() => void)[] = [];

  constructor(shared: { readonly files: OpenFiles; readonly writes: WriteSlots }, listener: WriterListener) {
    this.#files = shared.files;
    this.#slots = shared.writes;
    this.#listener = listener;
  }

  /** Takes a chunk that continues the last one, in `segment`. */
  push(segment: Segment, chunk: LogChunk): void {
    this.#chunks.push(chunk);
    this.#segments.push(segment);
    this.#slots.countUnwritten(chunk.bytes.length);
    if (!this.#isWriting) this.#writeNext();
  }

  /** Starts no more writes; resolves when the one under way, if any, has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#slots.withdraw(this.#begin)) this.#endWriting();
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #writeNext(): void {
    if (this.#chunks.length === 0 || this.#isStopped) {
      this.#endWriting();
      return;
    }
    this.#isWriting = true;
    this.#slots.take(this.#begin);
  }

  #beginWrite(): void {
    const segment = this.#segments[0] as Segment;
    // Only the first write makes the file: one that has vanished since must not come back with a hole.
    const file = this.#files.acquire(segment.slot, segment.writtenBytes === 0);
    if (!(file instanceof Promise)) {
      this.#write(file, segment);
      return;
    }
    file.then(
      (opened) => this.#write(opened, segment),
      (error: unknown) => {
        this.#slots.giveBack();
        this.#fail(error);
      },
    );
  }

  #write(file: DiskFile, segment: Segment): void {
    const buffers: Buffer[] = [];
    let bytes = 0;
    for (const chunk of this.#chunks) {
      if (buffers.length === writeBuffersMax || this.#segments[buffers.length] !== segment) break;
      if (bytes > 0 && bytes + chunk.bytes.length > writeBytesMax) break;
      bytes += chunk.bytes.length;
      buffers.push(chunk.bytes);
    }
    file.write(segment.writtenBytes, buffers).then(
      () => {
        this.#files.release(segment.slot);
        this.#slots.giveBack();
        this.#written(segment, buffers.length, bytes);
      },
      (error: unknown) => {
        this.#files.release(segment.slot);
        this.#slots.giveBack();
        this.#fail(error);
      },
    );
  }

  #written(segment: Segment, count: number, bytes: number): void {
    segment.writtenBytes += bytes;
    this.#slots.countUnwritten(-bytes);
    const { endOffset } = this.#chunks[count - 1] as LogChunk;
    this.#chunks = this.#chunks.slice(count);
    this.#segments = this.#segments.slice(count);
    // The next write starts before anyone is told: what the listener appends is joined behind it.
    this.#writeNext();
    this.#listener.onWritten(count, endOffset);
  }

  #fail(error: unknown): void {
    this.#isStopped = true;
    this.#endWriting();
    this.#listener.onWriteFailed(error instanceof Error ? error : new Error(String(error)));
  }

  /** What a stopped log has not written it never will: it holds up no other log. */
  #forget(): void {
    for (const { bytes } of this.#chunks) this.#slots.countUnwritten(-bytes.length);
    this.#chunks = [];
    this.#segments = [];
  }

  #endWriting(): void {
    this.#isWriting = false;
    if (this.#isStopped) this.#forget();
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
