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
} from "../../../../../shared/item-store/item-store.ts";
import type { Random } from "../../../../../shared/ports/random.ts";
import type { Timers } from "../../../../../shared/ports/timers.ts";

/** What becomes of one call. */
export type Fate =
  | "fine"
  /** Refused, not done. */
  | "throttled"
  | "unavailable"
  /** The answer is lost: done, not done, or done some time later. */
  | "done-unknown"
  | "lost-unknown"
  | "late-unknown"
  /** Nobody ever answers: done, or not. */
  | "done-silent"
  | "lost-silent";

const fates: readonly Fate[] = [
  "throttled",
  "unavailable",
  "done-unknown",
  "lost-unknown",
  "late-unknown",
  "done-silent",
  "lost-silent",
];

export const never = new Promise<never>(() => undefined);

/** A way to a store on which calls fail in every way that a network and a database know. */
export class FaultyItemStore implements ItemStore {
  readonly #store: ItemStore;
  readonly #timers: Timers;
  readonly #random: Random;
  /** Share of calls that fail. */
  faultRate = 0;
  /** Longest time on the way, milliseconds. */
  delayMsMax = 20;
  /** A late write arrives between this and five seconds more. */
  lateMsMin = 0;
  /** Fates of the next writes, before chance decides again. */
  readonly nextWrites: Fate[] = [];

  constructor(store: ItemStore, timers: Timers, random: Random) {
    this.#store = store;
    this.#timers = timers;
    this.#random = random;
  }

  get(key: ItemKey): Promise<GetResult> {
    return this.#read(() => this.#store.get(key));
  }

  query(range: ItemRange): Promise<QueryResult> {
    return this.#read(() => this.#store.query(range));
  }

  put(item: Item, condition: PutCondition): Promise<WriteResult> {
    return this.#write(() => this.#store.put(item, condition));
  }

  delete(key: ItemKey, condition: DeleteCondition): Promise<WriteResult> {
    return this.#write(() => this.#store.delete(key, condition));
  }

  async #read<T>(call: () => Promise<T>): Promise<T | StoreFailure> {
    const fate = this.#chance();
    await this.#delay(this.delayMsMax);
    switch (fate) {
      case "fine":
        return call();
      case "done-silent":
      case "lost-silent":
        return never;
      default:
        return { kind: "unavailable", message: fate };
    }
  }

  async #write(call: () => Promise<WriteResult>): Promise<WriteResult> {
    const fate = this.nextWrites.shift() ?? this.#chance();
    await this.#delay(this.delayMsMax);
    switch (fate) {
      case "fine":
        return call();
      case "throttled":
      case "unavailable":
        return { kind: fate, message: fate };
      case "done-unknown":
        await call();
        return { kind: "unknown", message: fate };
      case "done-silent":
        await call();
        return never;
      case "late-unknown":
        void this.#delay(5_000, this.lateMsMin).then(call);
        return { kind: "unknown", message: fate };
      case "lost-unknown":
        return { kind: "unknown", message: fate };
      case "lost-silent":
        return never;
    }
  }

  #chance(): Fate {
    const fails = this.#random.fraction() < this.faultRate;
    return fails ? (fates[Math.floor(this.#random.fraction() * fates.length)] as Fate) : "fine";
  }

  #delay(msMax: number, msMin = 0): Promise<void> {
    return new Promise((resolve) => this.#timers.after(msMin + this.#random.fraction() * msMax, resolve));
  }
}
