import type {
  DeleteCondition,
  GetResult,
  Item,
  ItemKey,
  ItemRange,
  ItemStore,
  PutCondition,
  QueryResult,
  WriteResult,
} from "../../../shared/item-store/item-store.ts";
import type { SimProcess } from "./sim-process.ts";
import type { StoreFaults } from "./store-faults.ts";

/** One process's view of the shared item store. The store itself is consistent; the way to it is not reliable. */
export class SimItemStore implements ItemStore {
  readonly #store: ItemStore;
  readonly #process: SimProcess;
  readonly #faults: StoreFaults;

  constructor(store: ItemStore, process: SimProcess, faults: StoreFaults) {
    this.#store = store;
    this.#process = process;
    this.#faults = faults;
  }

  get(key: ItemKey): Promise<GetResult> {
    return this.#faults.call(this.#process, `get ${key.partition}/${key.sort}`, false, () => this.#store.get(key));
  }

  query(range: ItemRange): Promise<QueryResult> {
    const label = `query ${range.partition}/${range.from}`;
    return this.#faults.call(this.#process, label, false, () => this.#store.query(range));
  }

  put(item: Item, condition: PutCondition): Promise<WriteResult> {
    const label = `put ${item.partition}/${item.sort}`;
    return this.#faults.call(this.#process, label, true, () => this.#store.put(item, condition));
  }

  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult> {
    const label = `delete ${key.partition}/${key.sort}`;
    return this.#faults.call(this.#process, label, true, () => this.#store.delete(key, condition));
  }
}
