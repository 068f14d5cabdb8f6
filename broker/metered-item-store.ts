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
} from "../shared/item-store/item-store.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { Counter, Metrics } from "../shared/telemetry/metrics.ts";

/** An item store whose puts are timed by outcome, and whose failed reads are counted. */
export class MeteredItemStore implements ItemStore {
  readonly #store: ItemStore;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #readFailures: Counter;

  constructor(store: ItemStore, clock: Clock, metrics: Metrics) {
    this.#store = store;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#readFailures = metrics.counter("metadataReadFailures", {});
  }

  async get(key: ItemKey): Promise<GetResult> {
    const result = await this.#store.get(key);
    if (result.kind !== "found" && result.kind !== "absent") this.#readFailures.add(1);
    return result;
  }

  async query(range: ItemRange): Promise<QueryResult> {
    const result = await this.#store.query(range);
    if (result.kind !== "page") this.#readFailures.add(1);
    return result;
  }

  async put(item: Item, condition: PutCondition): Promise<WriteResult> {
    const startedMs = this.#clock.monotonicMs();
    const result = await this.#store.put(item, condition);
    const seconds = (this.#clock.monotonicMs() - startedMs) / 1_000;
    this.#metrics.histogram("metadataAppendLatency", { outcome: result.kind }).observe(seconds);
    return result;
  }

  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult> {
    return this.#store.delete(key, condition);
  }
}
