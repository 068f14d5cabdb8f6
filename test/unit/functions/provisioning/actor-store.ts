import type {
  DeleteCondition,
  Item,
  ItemKey,
  ItemRange,
  ItemStore,
  PutCondition,
  SortKey,
  WriteResult,
} from "../../../../shared/item-store/item-store.ts";
import type { Random } from "../../../../shared/ports/random.ts";
import type { Timers } from "../../../../shared/ports/timers.ts";

/** What happens at a process's write number `at`, over all its stores. */
export interface WriteFault {
  readonly at: number;
  /**
   * `die`: the process ends there, before or after the write was done. `unanswered`: the write was done or not, and
   * nobody says which.
   */
  readonly kind: "die-before" | "die-after" | "unanswered-done" | "unanswered-lost";
}

const never = new Promise<never>(() => undefined);

/** One process in front of the stores: it may be slow, meet a fault at one of its writes, or die there. */
export class Actor {
  /** Writes so far. */
  writes = 0;
  dead = false;
  readonly died: Promise<void>;
  #onDeath: () => void = () => undefined;
  readonly #fault: WriteFault | undefined;
  readonly #delay: (() => Promise<void>) | undefined;

  constructor(options: {
    readonly fault?: WriteFault;
    readonly slow?: { readonly timers: Timers; readonly random: Random };
  }) {
    this.#fault = options.fault;
    const { slow } = options;
    this.#delay =
      slow === undefined
        ? undefined
        : () => new Promise<void>((resolve) => slow.timers.after(slow.random.fraction() * 20, resolve));
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  through<Sort extends SortKey>(store: ItemStore<Sort>): ItemStore<Sort> {
    return {
      get: (key: ItemKey<Sort>) => this.#read(() => store.get(key)),
      query: (range: ItemRange<Sort>) => this.#read(() => store.query(range)),
      put: (item: Item<Sort>, condition: PutCondition) => this.#write(() => store.put(item, condition)),
      delete: (key: ItemKey<Sort>, condition: DeleteCondition) => this.#write(() => store.delete(key, condition)),
    };
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.dead) return never;
    await this.#delay?.();
    return read();
  }

  async #write(write: () => Promise<WriteResult>): Promise<WriteResult> {
    if (this.dead) return never;
    const kind = ++this.writes === this.#fault?.at ? this.#fault.kind : undefined;
    await this.#delay?.();
    switch (kind) {
      case undefined:
        return write();
      case "die-before":
        return this.#die();
      case "die-after":
        await write();
        return this.#die();
      case "unanswered-done":
        await write();
        return { kind: "unknown", message: kind };
      case "unanswered-lost":
        return { kind: "unknown", message: kind };
    }
  }

  #die(): Promise<never> {
    this.dead = true;
    this.#onDeath();
    return never;
  }
}
