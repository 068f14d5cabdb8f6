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
import type { MetadataChecker } from "../checkers/metadata-checker.ts";

/** Where the metadata log keeps how far it is trimmed (shared/metadata/log/items). */
const trimSort = -1;

/** The one shared store, with the checker listening to every write that it takes. */
export class ObservedItems implements ItemStore {
  readonly #store: ItemStore;
  readonly #checker: MetadataChecker;
  readonly #onTrimmed: () => void;
  #trimmed = 0;

  constructor(store: ItemStore, checker: MetadataChecker, onTrimmed: () => void) {
    this.#store = store;
    this.#checker = checker;
    this.#onTrimmed = onTrimmed;
  }

  get trimmed(): number {
    return this.#trimmed;
  }

  get(key: ItemKey): Promise<GetResult> {
    return this.#store.get(key);
  }

  query(range: ItemRange): Promise<QueryResult> {
    return this.#store.query(range);
  }

  async put(item: Item, condition: PutCondition): Promise<WriteResult> {
    const result = await this.#store.put(item, condition);
    if (result.kind !== "done") return result;
    if (item.sort === trimSort) {
      this.#trimmed = Number(item.attributes["trimmed"]);
      this.#onTrimmed();
    }
    if (item.sort >= 1) this.#checker.stored(item, this.#trimmed);
    return result;
  }

  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult> {
    return this.#store.delete(key, condition);
  }
}
