/** For a client that follows leader epochs the high watermark of a partition never goes back (DESIGN section 5). */
export class HighWatermarkViews {
  readonly #seen = new Map<string, { readonly epoch: number; readonly highWatermark: number }>();
  readonly #violate: (message: string) => void;

  constructor(violate: (message: string) => void) {
    this.#violate = violate;
  }

  /** `client` sent `epoch` with its request and got this answer; answers of one client come in here in order. */
  answered(client: string, partition: string, epoch: number, highWatermark: number): void {
    const key = `${client} ${partition}`;
    const before = this.#seen.get(key);
    if (before !== undefined && epoch < before.epoch) {
      this.#violate(`${client} follows epochs, yet ${partition} went from epoch ${before.epoch} back to ${epoch}`);
    }
    if (before !== undefined && highWatermark < before.highWatermark) {
      const was = `${before.highWatermark} in epoch ${before.epoch}`;
      this.#violate(`${client} saw the high watermark of ${partition} go from ${was} to ${highWatermark} in ${epoch}`);
    }
    this.#seen.set(key, { epoch, highWatermark });
  }

  /** The partition may have lost its end: views begin anew. */
  permitLoss(partition: string): void {
    for (const key of [...this.#seen.keys()]) if (key.endsWith(` ${partition}`)) this.#seen.delete(key);
  }
}
