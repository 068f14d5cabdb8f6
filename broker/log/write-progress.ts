/** How far a log is written, whether it failed, and who waits for that. */
import type { Offset } from "./log-contract.ts";

interface Waiter {
  readonly offset: Offset;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class WriteProgress {
  #writtenOffset: Offset;
  #failure: Error | undefined;
  #listener: (() => void) | undefined;
  #waiters: Waiter[] = [];

  constructor(writtenOffset: Offset) {
    this.#writtenOffset = writtenOffset;
  }

  get writtenOffset(): Offset {
    return this.#writtenOffset;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Called after every rise and at the failure. One listener. */
  onProgress(listener: () => void): void {
    this.#listener = listener;
  }

  rise(offset: Offset): void {
    this.#writtenOffset = offset;
    if (this.#waiters.length > 0) {
      const ready = this.#waiters.filter((waiter) => waiter.offset <= offset);
      this.#waiters = this.#waiters.filter((waiter) => waiter.offset > offset);
      for (const waiter of ready) waiter.resolve();
    }
    this.#listener?.();
  }

  /** After a cut, when nothing is being written and nobody waits. */
  reset(offset: Offset): void {
    this.#writtenOffset = offset;
  }

  /** The first failure counts; it stays. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.end(error);
    this.#listener?.();
  }

  /** The log ends and writes no more: who still waits is told. */
  end(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  /** Resolves when all below `offset` is written; rejects with the failure. */
  whenWritten(offset: Offset): Promise<void> {
    if (this.#writtenOffset >= offset) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }));
  }
}
