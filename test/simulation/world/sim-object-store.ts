import type {
  ObjectGetResult,
  ObjectListResult,
  ObjectStore,
  ObjectWriteResult,
} from "../../../shared/object-store/object-store.ts";
import type { SimProcess } from "./sim-process.ts";
import type { StoreFaults } from "./store-faults.ts";

/** One process's view of the shared object store; unreliable in the same ways as the item store. */
export class SimObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #process: SimProcess;
  readonly #faults: StoreFaults;

  constructor(store: ObjectStore, process: SimProcess, faults: StoreFaults) {
    this.#store = store;
    this.#process = process;
    this.#faults = faults;
  }

  put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    // What is sent is what the caller's buffer holds now.
    const sent = Buffer.from(body);
    return this.#faults.call(this.#process, `put ${key}`, true, () => this.#store.put(key, sent, options));
  }

  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    return this.#faults.call(this.#process, `get ${key}`, false, () => this.#store.get(key, range));
  }

  list(prefix: string, startAfter?: string): Promise<ObjectListResult> {
    return this.#faults.call(this.#process, `list ${prefix}`, false, () => this.#store.list(prefix, startAfter));
  }

  delete(key: string): Promise<ObjectWriteResult> {
    return this.#faults.call(this.#process, `delete ${key}`, true, () => this.#store.delete(key));
  }
}
