import { freeBuffersMax, keptBuffersMax, quietReadBytes, readBytes } from "./limits.ts";

/**
 * Memory that sockets read into. Quiet sockets share one buffer, out of which everything is copied at once; a socket that
 * fills it borrows a large one of its own, out of which nothing is copied. When that is not filled either, the sender has
 * paused: it goes back, unless so few are out that it may stay for the next burst. So idle connections hold nothing,
 * and busy ones read in large steps.
 */
export class ReadBuffers {
  /** What all quiet sockets read into: whoever is called with it must be done with it when he returns. */
  readonly shared: Buffer = Buffer.allocUnsafeSlow(quietReadBytes);
  readonly #free: Buffer[] = [];
  #out = 0;

  /** Large buffers that are borrowed. */
  get out(): number {
    return this.#out;
  }

  /** The buffer for the next read, after one that put `filled` bytes into `buffer`, which nobody else holds. */
  next(buffer: Buffer, filled: number): Buffer {
    const isFull = filled === buffer.length;
    if (buffer === this.shared) return isFull ? this.borrow() : buffer;
    if (isFull || this.#out <= keptBuffersMax) return buffer;
    this.giveBack(buffer);
    return this.shared;
  }

  borrow(): Buffer {
    this.#out++;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(readBytes);
  }

  giveBack(buffer: Buffer): void {
    if (buffer === this.shared) return;
    this.#out--;
    if (this.#free.length < freeBuffersMax) this.#free.push(buffer);
  }
}
