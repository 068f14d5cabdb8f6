/** Disk operations that complete in an order drawn by a seed, one when the test says so. */
import { turn } from "./log-fixture.ts";

/** A small seeded generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Completions of the disk, run in random order. */
export class RandomOrder {
  readonly #waiting: (() => void)[] = [];
  readonly #random: () => number;
  #isOver = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly schedule = (run: () => void): void => {
    this.#waiting.push(run);
  };

  /** Operations under way. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Completes one operation, if any is under way, and lets its consequences run. */
  async step(): Promise<void> {
    const index = Math.floor(this.#random() * this.#waiting.length);
    this.#waiting.splice(index, 1)[0]?.();
    await turn();
  }

  /** Completes operations for as long as `promise` takes. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isDone = false;
    const noted = promise.finally(() => {
      isDone = true;
    });
    noted.catch(() => undefined);
    while (!isDone && !this.#isOver) await this.step();
    return noted;
  }
}
