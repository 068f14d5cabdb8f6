import type { StoreFailure } from "../item-store/item-store.ts";
import type { Timers } from "../ports/timers.ts";
import type { ObjectGetResult, ObjectListResult, ObjectStore, ObjectWriteResult } from "./object-store.ts";

/**
 * Any store, with an end to waiting: a call not answered within the timeout ends as `unavailable` (a read) or
 * `unknown` (a write, which may still be done later). An answer that comes after that is dropped.
 */
export class TimedObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #timers: Timers;
  readonly #timeoutMs: number;

  constructor(store: ObjectStore, timers: Timers, timeoutMs: number) {
    this.#store = store;
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
  }

  put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    return this.#within(this.#store.put(key, body, options), "unknown");
  }

  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    return this.#within(this.#store.get(key, range), "unavailable");
  }

  list(prefix: string, startAfter?: string): Promise<ObjectListResult> {
    return this.#within(this.#store.list(prefix, startAfter), "unavailable");
  }

  delete(key: string): Promise<ObjectWriteResult> {
    return this.#within(this.#store.delete(key), "unknown");
  }

  #within<T>(answer: Promise<T>, kind: StoreFailure["kind"]): Promise<T | StoreFailure> {
    return new Promise((resolve, reject) => {
      const cancel = this.#timers.after(this.#timeoutMs, () =>
        resolve({ kind, message: `no answer within ${this.#timeoutMs} ms` }),
      );
      answer.then(
        (result) => {
          cancel();
          resolve(result);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }
}
