/**
 * Items in one SQLite file: the embedded store of a cell on one machine. Every write is on the disk when it is answered
 * (WAL, synchronous=FULL); writes that arrive in one turn of the event loop share a transaction, and so its fsync, in the
 * order of their arrival. The calls are synchronous inside, so exactly one process owns the file, and it does nothing
 * else: brokers reach it through `item-store-server.ts`. So a broker that is stopped can never hold a lock.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { decodeAttributes, encodeAttributes, type SortOf } from "./item-json.ts";
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
  SortKind,
  StoreFailure,
  WriteResult,
} from "./item-store.ts";
import { lockWaitMs, pageBytesMax, pageItemsMax } from "./limits.ts";
import { writeAllowed } from "./write-condition.ts";

/** SQLite's primary result codes of a write that was certainly rolled back: busy, locked, read-only, full, cannot open. */
const notDone: ReadonlySet<number> = new Set([5, 6, 8, 13, 14]);

/** How the column of sort keys is declared: texts are ordered by their bytes. */
const columnTypes: Readonly<Record<SortKind, string>> = { number: "INTEGER", text: "TEXT" };

export class SqliteItemStore<Kind extends SortKind = "number"> implements ItemStore<SortOf<Kind>> {
  readonly #kind: Kind;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #page: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  #waiting: Waiting[] = [];

  /** Opens or creates the file, for sort keys of one kind; throws when another process has it open. */
  constructor(path: string, kind: Kind) {
    this.#kind = kind;
    const database = new DatabaseSync(path, { timeout: lockWaitMs });
    // The exclusive lock is taken by the first write below and kept: a second owner fails at once, not sometimes.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("BEGIN IMMEDIATE");
    database.exec(
      `CREATE TABLE IF NOT EXISTS items (
         log TEXT NOT NULL, seq ${columnTypes[kind]} NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (log, seq)
       ) WITHOUT ROWID`,
    );
    database.exec("PRAGMA user_version = 1");
    database.exec("COMMIT");
    this.#database = database;
    this.#get = database.prepare("SELECT attributes FROM items WHERE log = ? AND seq = ?");
    this.#page = database.prepare("SELECT seq, attributes FROM items WHERE log = ? AND seq >= ? ORDER BY seq LIMIT ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO items (log, seq, attributes) VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM items WHERE log = ? AND seq = ?");
  }

  /** Writes that are waiting are done first. */
  close(): void {
    this.#commit();
    this.#database.close();
  }

  get(key: ItemKey<SortOf<Kind>>): Promise<GetResult<SortOf<Kind>>> {
    return this.#read(() => {
      const item = this.#find(key);
      return item === undefined ? { kind: "absent" } : { kind: "found", item };
    });
  }

  query(range: ItemRange<SortOf<Kind>>): Promise<QueryResult<SortOf<Kind>>> {
    return this.#read(() => {
      const limit = Math.min(range.limit, pageItemsMax);
      const rows = this.#page.all(range.partition, range.from, limit + 1);
      const items: Item<SortOf<Kind>>[] = [];
      let bytes = 0;
      for (const row of rows.slice(0, limit)) {
        const sort = (this.#kind === "number" ? Number(row["seq"]) : String(row["seq"])) as SortOf<Kind>;
        const item = itemOf({ partition: range.partition, sort }, row["attributes"]);
        bytes += itemBytes(item);
        if (bytes > pageBytesMax && items.length > 0) {
          break;
        }
        items.push(item);
      }
      return { kind: "page", items, more: items.length < rows.length };
    });
  }

  put(item: Item<SortOf<Kind>>, condition: PutCondition): Promise<WriteResult> {
    const fault = itemFault(item);
    if (fault !== undefined) {
      return Promise.resolve({ kind: "invalid", message: fault });
    }
    return this.#write(() => {
      if (!writeAllowed(this.#find(item), condition)) {
        return { kind: "conflict" };
      }
      this.#put.run(item.partition, item.sort, JSON.stringify(encodeAttributes(item.attributes)));
      return { kind: "done" };
    });
  }

  delete(key: ItemKey<SortOf<Kind>>, condition: DeleteCondition): Promise<WriteResult> {
    return this.#write(() => {
      const present = this.#find(key);
      if (present !== undefined && !writeAllowed(present, condition)) {
        return { kind: "conflict" };
      }
      this.#delete.run(key.partition, key.sort);
      return { kind: "done" };
    });
  }

  #find(key: ItemKey<SortOf<Kind>>): Item<SortOf<Kind>> | undefined {
    const row = this.#get.get(key.partition, key.sort);
    return row === undefined ? undefined : itemOf(key, row["attributes"]);
  }

  async #read<T>(work: () => T): Promise<T | StoreFailure> {
    try {
      return work();
    } catch (error) {
      return { kind: "unavailable", message: messageOf(error) };
    }
  }

  #write(work: () => WriteResult): Promise<WriteResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ work, resolve });
      if (this.#waiting.length === 1) setImmediate(() => this.#commit());
    });
  }

  /** Each check stands with its write in the one transaction, and nobody is answered before it is over. */
  #commit(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    const results = this.#transaction(batch);
    batch.forEach(({ resolve }, index) => resolve(results[index] as WriteResult));
  }

  /** A failed commit leaves it open whether it will survive: `unknown`, for all of them. */
  #transaction(batch: readonly Waiting[]): readonly WriteResult[] {
    let begun = false;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      begun = true;
      const results = batch.map(({ work }) => work());
      this.#database.exec(results.some(({ kind }) => kind === "done") ? "COMMIT" : "ROLLBACK");
      return results;
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) {
        this.#database.exec("ROLLBACK");
      }
      const code = (error as { readonly errcode?: number }).errcode ?? 0;
      const kind = begun && !notDone.has(code & 0xff) ? "unknown" : "unavailable";
      return batch.map(() => ({ kind, message: messageOf(error) }));
    }
  }
}

interface Waiting {
  readonly work: () => WriteResult;
  readonly resolve: (result: WriteResult) => void;
}

function itemOf<Sort extends SortKey>(key: ItemKey<Sort>, attributes: unknown): Item<Sort> {
  return { partition: key.partition, sort: key.sort, attributes: decodeAttributes(JSON.parse(String(attributes))) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
