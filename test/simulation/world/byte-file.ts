/** Growable bytes, as a file has them: a write past the end leaves zeros between. */
export class ByteFile {
  #bytes = Buffer.alloc(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  write(position: number, data: Buffer): void {
    const end = position + data.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.#bytes.length * 2, 1_024));
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    data.copy(this.#bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    else if (size > this.#size) this.write(size, Buffer.alloc(0));
    this.#size = size;
  }

  /** Bytes read into `target`: fewer than asked at the end. */
  read(position: number, target: Buffer): number {
    const end = Math.min(this.#size, position + target.length);
    return end <= position ? 0 : this.#bytes.copy(target, 0, position, end);
  }

  content(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#size));
  }
}
