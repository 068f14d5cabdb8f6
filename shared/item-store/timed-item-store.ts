import type { Timers } from "../ports/timers.ts";
import type {
  DeleteCondition,
  GetResult,
  Item,
  ItemKey,
  ItemRange,
  ItemStore,
  PutCondition,
  QueryResult,
  StoreFailure,
  WriteResult,
} from "./item-store.ts";

/**
 * Any store, with an end to waiting: a call not answered within the timeout ends as `unavailable` (a read) or
 * `unknown` (a write, which may still be done later). An answer that comes after that is dropped.
 */
export class TimedItemStore implements ItemStore {
  readonly #store: ItemStore;
  readonly #timers: Timers;
  readonly #timeoutMs: number;

  constructor(store: ItemStore, timers: Timers, timeoutMs: number) {
    this.#store = store;
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
  }

  get(key: ItemKey): Promise<GetResult> {
    return this.#within(this.#store.get(key), "unavailable");
  }

  query(range: ItemRange): Promise<QueryResult> {
    return this.#within(this.#store.query(range), "unavailable");
  }

  put(item: Item, condition: PutCondition): Promise<WriteResult> {
    return this.#within(this.#store.put(item, condition), "unknown");
  }

  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult> {
    return this.#within(this.#store.delete(key, condition), "unknown");
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
