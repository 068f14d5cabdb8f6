/**
 * The control plane's table, typed: objects by kind, each written under the condition that nobody wrote it since it was
 * read. There are no transactions over several: what must hold between two objects is the order of writes and the
 * reconciler (docs/adr/0011).
 */
import type { Item, ItemStore, PutCondition, StoreFailure, WriteResult } from "../item-store/item-store.ts";
import { type Random, randomUuid } from "../ports/random.ts";
import type { Timers } from "../ports/timers.ts";
import {
  type ControlKind,
  decodeControlItem,
  encodeControlItem,
  revisionAttribute,
  type Stored,
} from "./control-kind.ts";
import { listPageMax, readAttemptsMax, retryBackoffMs, writeAttemptsMax } from "./limits.ts";

/**
 * The table does not answer, or did not say what became of a write. The call ends; whatever it began is finished or
 * removed by the reconciler.
 */
export class ControlUnavailableError extends Error {
  readonly code = "CONTROL_UNAVAILABLE";
  constructor(message: string) {
    super(message);
    this.name = "ControlUnavailableError";
  }
}

/** `conflict`: somebody else wrote first (or an unanswered attempt of this write was overtaken): read again. */
export type ControlWrite<T> = { readonly kind: "done"; readonly stored: Stored<T> } | { readonly kind: "conflict" };

export interface ControlPage<T> {
  readonly objects: readonly Stored<T>[];
  /** There are more behind the last one. */
  readonly more: boolean;
}

export class ControlStore {
  readonly #items: ItemStore<string>;
  readonly #timers: Timers;
  readonly #random: Random;

  /** `items` answers every call in bounded time. */
  constructor(items: ItemStore<string>, ports: { readonly timers: Timers; readonly random: Random }) {
    this.#items = items;
    this.#timers = ports.timers;
    this.#random = ports.random;
  }

  async get<T extends object>(kind: ControlKind<T>, collection: string, id: string): Promise<Stored<T> | undefined> {
    const item = await this.#item(collection, id);
    return item === undefined ? undefined : decodeControlItem(kind, item);
  }

  /** Objects of a collection by ascending id, those behind `after`. */
  async list<T extends object>(
    kind: ControlKind<T>,
    collection: string,
    page: { readonly after: string | undefined; readonly limit: number },
  ): Promise<ControlPage<T>> {
    // A space is below every character of an id, so this is the first key behind it.
    const from = page.after === undefined ? "!" : `${page.after} `;
    const limit = Math.min(page.limit, listPageMax);
    const result = await this.#read(() => this.#items.query({ partition: collection, from, limit }));
    if (result.kind !== "page") throw new ControlUnavailableError("a query was answered with something else");
    return { objects: result.items.map((item) => decodeControlItem(kind, item)), more: result.more };
  }

  /** Every object of a collection; for collections that are small, and for background work. */
  async *all<T extends object>(kind: ControlKind<T>, collection: string): AsyncGenerator<Stored<T>> {
    let after: string | undefined;
    for (;;) {
      const page = await this.list(kind, collection, { after, limit: listPageMax });
      yield* page.objects;
      const last = page.objects.at(-1);
      if (!page.more || last === undefined) return;
      after = kind.idOf(last.value);
    }
  }

  /** Writes an object that is not there yet. */
  create<T extends object>(kind: ControlKind<T>, value: T): Promise<ControlWrite<T>> {
    return this.#put(kind, value, { kind: "absent" });
  }

  /** Writes over the object that was read. */
  replace<T extends object>(kind: ControlKind<T>, read: Stored<T>, value: T): Promise<ControlWrite<T>> {
    return this.#put(kind, value, { kind: "equals", attribute: revisionAttribute, value: read.revision });
  }

  /** Writes whatever is there. */
  async put<T extends object>(kind: ControlKind<T>, value: T): Promise<Stored<T>> {
    const written = await this.#put(kind, value, { kind: "none" });
    if (written.kind === "conflict") throw new Error("a write without a condition met a conflict");
    return written.stored;
  }

  /** Deletes the object that was read; one that is gone already counts. */
  async remove<T extends object>(kind: ControlKind<T>, read: Stored<T>): Promise<"done" | "conflict"> {
    const key = { partition: kind.collectionOf(read.value), sort: kind.idOf(read.value) };
    const condition = { kind: "equals", attribute: revisionAttribute, value: read.revision } as const;
    for (let attempt = 0; attempt < writeAttemptsMax; attempt++) {
      await this.#pause(attempt);
      const result = await this.#items.delete(key, condition);
      if (result.kind === "done" || result.kind === "conflict") return result.kind;
      // Deleting again what may be deleted already changes nothing.
      refuseInvalid(result);
    }
    throw new ControlUnavailableError(`${key.partition} ${key.sort} was not deleted`);
  }

  async #put<T extends object>(kind: ControlKind<T>, value: T, condition: PutCondition): Promise<ControlWrite<T>> {
    const revision = randomUuid(this.#random);
    const item = encodeControlItem(kind, value, revision);
    const done = { kind: "done", stored: { value, revision } } as const;
    let doubt = false;
    for (let attempt = 0; attempt < writeAttemptsMax; attempt++) {
      await this.#pause(attempt);
      const result: WriteResult = await this.#items.put(item, condition);
      if (result.kind === "done") return done;
      if (result.kind === "conflict") {
        const own = doubt && (await this.#revisionOf(item)) === revision;
        return own ? done : { kind: "conflict" };
      }
      refuseInvalid(result);
      doubt ||= result.kind === "unknown";
    }
    throw new ControlUnavailableError(`${item.partition} ${item.sort} was not written, or may have been`);
  }

  async #revisionOf(item: Item<string>): Promise<unknown> {
    return (await this.#item(item.partition, item.sort))?.attributes[revisionAttribute];
  }

  async #item(partition: string, sort: string): Promise<Item<string> | undefined> {
    const result = await this.#read(() => this.#items.get({ partition, sort }));
    return result.kind === "found" ? result.item : undefined;
  }

  async #read<R extends { readonly kind: string }>(read: () => Promise<R | StoreFailure>): Promise<R> {
    let message = "";
    for (let attempt = 0; attempt < readAttemptsMax; attempt++) {
      await this.#pause(attempt);
      const result = await read();
      if (!isFailure(result)) return result;
      refuseInvalid(result);
      message = result.message;
    }
    throw new ControlUnavailableError(message);
  }

  async #pause(attempt: number): Promise<void> {
    if (attempt === 0) return;
    const waitMs = retryBackoffMs * attempt * this.#random.fraction();
    await new Promise<void>((resolve) => this.#timers.after(waitMs, resolve));
  }
}

const failureKinds: ReadonlySet<string> = new Set(["throttled", "unavailable", "unknown", "invalid"]);

function isFailure(result: { readonly kind: string }): result is StoreFailure {
  return failureKinds.has(result.kind);
}

/** What no store would ever take is a bug of the caller. */
function refuseInvalid(failure: StoreFailure): void {
  if (failure.kind === "invalid") throw new Error(`the store refuses an item for good: ${failure.message}`);
}
