import { freeBuffersMax, idleReadBytes, keptBuffersMax, readBytes } from "./limits.ts";

/**
 * Memory that sockets read into. A socket that says little has a small buffer of its own; one that fills it borrows a
 * large one. When the large one is not filled either, the sender has paused: it goes back, unless so few are out that it
 * may stay for the next burst. So thousands of idle connections cost little, and busy ones read in large steps.
 */
export class ReadBuffers {
  readonly #free: Buffer[] = [];
  #out = 0;

  /** Large buffers that are borrowed. */
  get out(): number {
    return this.#out;
  }

  small(): Buffer {
    return Buffer.allocUnsafeSlow(idleReadBytes);
  }

  /** The buffer for the next read, after one that put `filled` bytes into `buffer`, which nobody else holds. */
  next(buffer: Buffer, filled: number): Buffer {
    const isFull = filled === buffer.length;
    if (buffer.length === idleReadBytes) return isFull ? this.#borrow() : buffer;
    if (isFull || this.#out <= keptBuffersMax) return buffer;
    this.giveBack(buffer);
    return this.small();
  }

  /** One beside a buffer that a write still holds. */
  another(buffer: Buffer): Buffer {
    return buffer.length === idleReadBytes ? this.small() : this.#borrow();
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length === idleReadBytes) return;
    this.#out--;
    if (this.#free.length < freeBuffersMax) this.#free.push(buffer);
  }

  #borrow(): Buffer {
    this.#out++;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(readBytes);
  }
}
