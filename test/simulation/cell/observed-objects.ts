import type {
  ObjectGetResult,
  ObjectListResult,
  ObjectStore,
  ObjectWriteResult,
} from "../../../shared/object-store/object-store.ts";

/** One process's object store; tells when it reads what another process wrote: it loads a snapshot. */
export class ObservedObjects implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #onForeignRead: () => void;
  readonly #own = new Set<string>();

  constructor(store: ObjectStore, onForeignRead: () => void) {
    this.#store = store;
    this.#onForeignRead = onForeignRead;
  }

  put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    this.#own.add(key);
    return this.#store.put(key, body, options);
  }

  async get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    const result = await this.#store.get(key, range);
    if (result.kind === "found" && !this.#own.has(key)) this.#onForeignRead();
    return result;
  }

  list(prefix: string, startAfter?: string): Promise<ObjectListResult> {
    return this.#store.list(prefix, startAfter);
  }

  delete(key: string): Promise<ObjectWriteResult> {
    return this.#store.delete(key);
  }
}
