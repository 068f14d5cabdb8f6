/**
 * What keeps a broker from taking records of a partition for a moment: a leadership that was given to it and has not begun
 * (its log is being opened, its promise written), or a disk that does not keep up. Who can waits until it is over.
 */
export interface Obstacle {
  /** Monotonic time since when it is there. */
  readonly sinceMs: number;
  /** Calls back once, when it is over, one way or another; the returned function withdraws. Must be cheap: mark and return. */
  whenSettled(settled: () => void): () => void;
}

/** What the owner holds of it. */
export class OpenObstacle implements Obstacle {
  readonly sinceMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  whenSettled(settled: () => void): () => void {
    this.#waiting.add(settled);
    return () => this.#waiting.delete(settled);
  }

  /** Who waits looks again, and may find another one to wait for. */
  settle(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const settled of waiting) settled();
  }
}
