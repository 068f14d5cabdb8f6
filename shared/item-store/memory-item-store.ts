import { itemBytes, itemFault } from "./item-size.ts";
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
  WriteResult,
} from "./item-store.ts";
import { pageBytesMax, pageItemsMax } from "./limits.ts";
import { writeAllowed } from "./write-condition.ts";

/** Runs `run` later: when the store works on a call, and answers it. The simulator orders calls with it. */
export type Schedule = (run: () => void) => void;

/**
 * Items in memory, for tests and the simulator. A call takes effect and is answered in one step, when `schedule` runs
 * it; calls given the same turn are worked on in the order in which `schedule` chooses to run them.
 */
export class MemoryItemStore<Sort extends SortKey = number> implements ItemStore<Sort> {
  readonly #partitions = new Map<string, MemoryPartition<Sort>>();
  readonly #schedule: Schedule;

  constructor(schedule: Schedule = queueMicrotask) {
    this.#schedule = schedule;
  }

  get(key: ItemKey<Sort>): Promise<GetResult<Sort>> {
    return this.#answer(() => {
      const item = this.#partitions.get(key.partition)?.get(key.sort);
      return item === undefined ? { kind: "absent" } : { kind: "found", item };
    });
  }

  query(range: ItemRange<Sort>): Promise<QueryResult<Sort>> {
    return this.#answer(() => this.#partitions.get(range.partition)?.page(range) ?? emptyPage);
  }

  put(item: Item<Sort>, condition: PutCondition): Promise<WriteResult> {
    const fault = itemFault(item);
    const stored = { ...item, attributes: copiedAttributes(item) };
    return this.#answer(() => {
      if (fault !== undefined) {
        return { kind: "invalid", message: fault };
      }
      const partition = this.#partition(item.partition);
      if (!writeAllowed(partition.get(item.sort), condition)) {
        return { kind: "conflict" };
      }
      partition.set(stored);
      return { kind: "done" };
    });
  }

  delete(key: ItemKey<Sort>, condition: DeleteCondition): Promise<WriteResult> {
    return this.#answer(() => {
      const partition = this.#partition(key.partition);
      const present = partition.get(key.sort);
      if (present !== undefined && !writeAllowed(present, condition)) {
        return { kind: "conflict" };
      }
      partition.delete(key.sort);
      return { kind: "done" };
    });
  }

  #answer<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.#schedule(() => resolve(work())));
  }

  #partition(name: string): MemoryPartition<Sort> {
    let partition = this.#partitions.get(name);
    if (partition === undefined) {
      partition = new MemoryPartition();
      this.#partitions.set(name, partition);
    }
    return partition;
  }
}

const emptyPage: QueryResult<never> = { kind: "page", items: [], more: false };

function copiedAttributes(item: Item<SortKey>): Item["attributes"] {
  const copies = Object.entries(item.attributes).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value) : value,
  ]);
  return Object.fromEntries(copies);
}

/** Items of one partition with their sort keys in order; appending at the end, the usual case, costs nothing extra. */
class MemoryPartition<Sort extends SortKey> {
  readonly #items = new Map<Sort, Item<Sort>>();
  readonly #sorts: Sort[] = [];

  get(sort: Sort): Item<Sort> | undefined {
    return this.#items.get(sort);
  }

  set(item: Item<Sort>): void {
    if (!this.#items.has(item.sort)) {
      this.#sorts.splice(this.#indexOf(item.sort), 0, item.sort);
    }
    this.#items.set(item.sort, item);
  }

  delete(sort: Sort): void {
    if (this.#items.delete(sort)) {
      this.#sorts.splice(this.#indexOf(sort), 1);
    }
  }

  page(range: ItemRange<Sort>): QueryResult<Sort> {
    const items: Item<Sort>[] = [];
    let bytes = 0;
    let index = this.#indexOf(range.from);
    for (; index < this.#sorts.length && items.length < Math.min(range.limit, pageItemsMax); index++) {
      const item = this.#items.get(this.#sorts[index] as Sort) as Item<Sort>;
      bytes += itemBytes(item);
      if (bytes > pageBytesMax && items.length > 0) {
        break;
      }
      items.push(item);
    }
    return { kind: "page", items, more: index < this.#sorts.length };
  }

  /** Index of the first sort key that is not below `sort`. */
  #indexOf(sort: Sort): number {
    let low = 0;
    let high = this.#sorts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorts[middle] as Sort) < sort) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
