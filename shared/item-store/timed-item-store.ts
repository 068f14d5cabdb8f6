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
  SortKey,
  StoreFailure,
  WriteResult,
} from "./item-store.ts";

/**
 * Any store, with an end to waiting: a call not answered within the timeout ends as `unavailable` (a read) or
 * `unknown` (a write, which may still be done later). An answer that comes after that is dropped.
 */
export class TimedItemStore<Sort extends SortKey = number> implements ItemStore<Sort> {
  readonly #store: ItemStore<Sort>;
  readonly #timers: Timers;
  readonly #timeoutMs: number;

  constructor(store: ItemStore<Sort>, timers: Timers, timeoutMs: number) {
    this.#store = store;
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
  }

  get(key: ItemKey<Sort>): Promise<GetResult<Sort>> {
    return this.#within(this.#store.get(key), "unavailable");
  }

  query(range: ItemRange<Sort>): Promise<QueryResult<Sort>> {
    return this.#within(this.#store.query(range), "unavailable");
  }

  put(item: Item<Sort>, condition: PutCondition): Promise<WriteResult> {
    return this.#within(this.#store.put(item, condition), "unknown");
  }

  delete(key: ItemKey<Sort>, condition: DeleteCondition): Promise<WriteResult> {
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
