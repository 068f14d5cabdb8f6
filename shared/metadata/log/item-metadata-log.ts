/**
 * The metadata log on a table of items with conditional writes (DESIGN section 4): DynamoDB in the cloud, the embedded
 * store on one machine, memory in tests. One partition of the table is one cell's log.
 *
 * A seal is an item like an entry, put at tail + 1: whoever comes later collides with it. So it needs no second read
 * on the way of every append, and it falls into the same total order.
 */
import type { Item, ItemKey, ItemStore, WriteResult } from "../../item-store/item-store.ts";
import { type Random, randomUuid } from "../../ports/random.ts";
import type { Timers } from "../../ports/timers.ts";
import type { MetadataSeq } from "../records/record.ts";
import { Backoff } from "./backoff.ts";
import { decodeSlot, entryIdAttribute, entryItem, type StoredEntry, sealItem } from "./items/entry-item.ts";
import { decodeTrim, trimItem, trimKey, trimUnchanged } from "./items/trim-item.ts";
import {
  appendAttemptsMax,
  pageEntriesMax,
  readAttemptsMax,
  reservedItemAttemptsMax,
  trimDeletesMax,
} from "./limits.ts";
import type {
  AppendResult,
  LogCorrupt,
  LogTrimmed,
  LogUnavailable,
  MetadataLog,
  ReadResult,
  SealResult,
  TailResult,
  TrimResult,
} from "./metadata-log.ts";
import { retriedRead } from "./retried-read.ts";
import { readSnapshotPointer } from "./snapshot-pointer.ts";

/** What became of an item that was to stand at a number of the log. */
type Placed = { readonly kind: "placed" } | Exclude<AppendResult, { kind: "appended" }>;

export interface ItemMetadataLogOptions {
  /** Name of the log: the cell. */
  readonly log: string;
  /** Answers every call in bounded time (`TimedItemStore`). */
  readonly store: ItemStore;
  readonly timers: Timers;
  readonly random: Random;
}

export class ItemMetadataLog implements MetadataLog {
  readonly #log: string;
  readonly #store: ItemStore;
  readonly #random: Random;
  readonly #backoff: Backoff;

  constructor(options: ItemMetadataLogOptions) {
    this.#log = options.log;
    this.#store = options.store;
    this.#random = options.random;
    this.#backoff = new Backoff(options.timers, options.random);
  }

  async append(entry: StoredEntry): Promise<AppendResult> {
    const settled = await this.#place(entryItem(this.#log, entry), entry.id);
    return settled.kind === "placed" ? { kind: "appended" } : settled;
  }

  async readNext(from: MetadataSeq): Promise<ReadResult> {
    const page = await retriedRead(this.#backoff, () =>
      this.#store.query({ partition: this.#log, from, limit: pageEntriesMax }),
    );
    if (page.kind !== "page") {
      return page;
    }
    if (page.items.length === 0) {
      return { kind: "entries", entries: [], more: false, sealed: false };
    }
    // Only after the page: a number below a trim that was raised later was whole when the page was read.
    const trim = await this.#readTrim();
    if (trim.kind !== "trim") {
      return trim;
    }
    if (trim.trimmed >= from) {
      return { kind: "trimmed", trimmed: trim.trimmed };
    }
    return this.#contiguous(from, page.items, page.more);
  }

  async checkTail(known: MetadataSeq): Promise<TailResult> {
    let from = known + 1;
    for (;;) {
      const read = await this.readNext(from);
      if (read.kind !== "entries") {
        return read;
      }
      from += read.entries.length;
      if (read.sealed || !read.more) {
        return { kind: "tail", seq: from - 1, sealed: read.sealed };
      }
    }
  }

  async trim(upTo: MetadataSeq): Promise<TrimResult> {
    const pointer = await readSnapshotPointer(this.#store, this.#log, this.#backoff);
    if (pointer.kind !== "pointer") {
      return pointer.kind === "none" ? { kind: "not-covered" } : pointer;
    }
    // One entry below the snapshot always stays: whoever reads from inside the trimmed part then sees a hole, not a tail.
    if (pointer.pointer.seq <= upTo) {
      return { kind: "not-covered" };
    }
    const raised = await this.#raiseTrim(upTo);
    return raised.kind === "trim" ? this.#deleteTrimmed(raised.trimmed) : raised;
  }

  async seal(known: MetadataSeq): Promise<SealResult> {
    const id = randomUuid(this.#random);
    for (let attempt = 0; attempt < appendAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      const tail = await this.checkTail(known);
      if (tail.kind !== "tail") {
        return tail;
      }
      if (tail.sealed) {
        return { kind: "sealed", tail: tail.seq };
      }
      const settled = await this.#place(sealItem(this.#log, tail.seq + 1, id), id);
      switch (settled.kind) {
        case "placed":
          return { kind: "sealed", tail: tail.seq };
        case "trimmed":
        case "unavailable":
        case "corrupt":
          return settled;
        case "conflict":
        case "sealed":
        case "unknown":
          break;
      }
    }
    return { kind: "unavailable", message: "the tail kept moving, or the store did not say whether the seal was put" };
  }

  /** Puts an item at a number of the log where nothing may stand, and settles what became of it. */
  async #place(item: Item, id: string): Promise<Placed> {
    let doubt = false;
    let message = "";
    for (let attempt = 0; attempt < appendAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      const put = await this.#store.put(item, { kind: "absent" });
      if (put.kind === "done") {
        return this.#confirm(item, id);
      }
      if (put.kind === "invalid") {
        return { kind: "corrupt", message: `the store refuses entry ${item.sort}: ${put.message}` };
      }
      if (put.kind === "throttled" || put.kind === "unavailable") {
        message = put.message;
        continue;
      }
      doubt ||= put.kind === "unknown";
      message = put.kind === "unknown" ? put.message : "";
      const settled = await this.#settle(item, id);
      if (settled.kind !== "open") {
        return settled;
      }
      // Nothing is there, and the put may still arrive: putting the same item again is safe, only one of them can land.
    }
    return doubt ? { kind: "unknown", message } : { kind: "unavailable", message };
  }

  /** After a collision, or a put whose outcome is unknown: whose item stands at the number? `open`: nobody's, or no answer. */
  async #settle(item: Item, id: string): Promise<{ readonly kind: "open" } | Placed> {
    const found = await retriedRead(this.#backoff, () => this.#store.get(item));
    if (found.kind === "unavailable") {
      return { kind: "open" };
    }
    if (found.kind === "found" && found.item.attributes[entryIdAttribute] === id) {
      return this.#confirm(item, id);
    }
    return found.kind === "absent" ? { kind: "open" } : this.#winners(item.sort);
  }

  async #winners(seq: MetadataSeq): Promise<Placed> {
    const read = await this.readNext(seq);
    if (read.kind !== "entries") {
      return read;
    }
    return read.sealed && read.entries.length === 0 ? { kind: "sealed" } : { kind: "conflict", entries: read.entries };
  }

  /**
   * The item stands. Before it is acted on: did it fall into a hole that the trim has left? The trim item is raised
   * before anything is deleted, so a hole cannot be found without it.
   */
  async #confirm(item: Item, id: string): Promise<Placed> {
    const trim = await this.#readTrim();
    if (trim.kind === "corrupt") {
      return trim;
    }
    if (trim.kind === "unavailable") {
      return { kind: "unknown", message: `written, but the trim could not be read: ${trim.message}` };
    }
    if (trim.trimmed < item.sort) {
      return { kind: "placed" };
    }
    // Best effort: a phantom that stays is below the trim, where nobody looks, and the next trim deletes it.
    await this.#store.delete(item, { kind: "equals", attribute: entryIdAttribute, value: id });
    return { kind: "trimmed", trimmed: trim.trimmed };
  }

  /**
   * Cuts a page before the first hole. A page is not a snapshot of the table: it may show n + 1 and not n although n was
   * written first. So a hole right at the start is looked at again before it counts.
   */
  async #contiguous(from: MetadataSeq, items: readonly Item[], more: boolean): Promise<ReadResult> {
    let whole = items;
    if ((items[0] as Item).sort !== from) {
      const again = await retriedRead(this.#backoff, () => this.#store.get({ partition: this.#log, sort: from }));
      if (again.kind === "unavailable") {
        return again;
      }
      if (again.kind === "absent") {
        return this.#missing(from);
      }
      whole = [again.item];
    }
    const entries: StoredEntry[] = [];
    for (const item of whole) {
      if (item.sort !== from + entries.length) {
        return { kind: "entries", entries, more: true, sealed: false };
      }
      const slot = decodeSlot(item);
      if (slot.kind === "malformed") {
        return { kind: "corrupt", message: `item ${slot.seq} of log ${this.#log} is no entry` };
      }
      if (slot.kind === "seal") {
        return { kind: "entries", entries, more: false, sealed: true };
      }
      entries.push(slot.entry);
    }
    return { kind: "entries", entries, more: more || whole !== items, sealed: false };
  }

  /** A number is missing below one that was seen: trimmed since, or lost. */
  async #missing(from: MetadataSeq): Promise<LogTrimmed | LogUnavailable | LogCorrupt> {
    const trim = await this.#readTrim();
    if (trim.kind !== "trim") {
      return trim;
    }
    return trim.trimmed >= from
      ? { kind: "trimmed", trimmed: trim.trimmed }
      : { kind: "corrupt", message: `entry ${from} of log ${this.#log} is missing` };
  }

  async #readTrim(): Promise<{ readonly kind: "trim"; readonly trimmed: MetadataSeq } | LogUnavailable | LogCorrupt> {
    const read = await retriedRead(this.#backoff, () => this.#store.get(trimKey(this.#log)));
    if (read.kind === "unavailable") {
      return read;
    }
    const trimmed = read.kind === "absent" ? 0 : decodeTrim(read.item);
    return trimmed === undefined
      ? { kind: "corrupt", message: `the trim item of log ${this.#log} is malformed` }
      : { kind: "trim", trimmed };
  }

  async #raiseTrim(
    upTo: MetadataSeq,
  ): Promise<{ readonly kind: "trim"; readonly trimmed: MetadataSeq } | LogUnavailable | LogCorrupt> {
    for (let attempt = 0; attempt < reservedItemAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      const present = await this.#readTrim();
      if (present.kind !== "trim" || present.trimmed >= upTo) {
        return present;
      }
      const put = await this.#store.put(trimItem(this.#log, upTo), trimUnchanged(present.trimmed));
      if (put.kind === "done") {
        return { kind: "trim", trimmed: upTo };
      }
    }
    return { kind: "unavailable", message: "the trim item could not be raised" };
  }

  async #deleteTrimmed(trimmed: MetadataSeq): Promise<TrimResult> {
    let deleted = 0;
    while (deleted < trimDeletesMax) {
      const page = await retriedRead(this.#backoff, () =>
        this.#store.query({ partition: this.#log, from: 1, limit: pageEntriesMax }),
      );
      if (page.kind !== "page") {
        return page;
      }
      const below = page.items.filter((item) => item.sort <= trimmed);
      if (below.length === 0) {
        return { kind: "done", trimmed, deleted, more: false };
      }
      for (const item of below) {
        const gone = await this.#deleteEntry(item);
        if (gone.kind !== "done") {
          return { kind: "unavailable", message: `${deleted} deleted, then: ${gone.kind}` };
        }
        deleted++;
      }
    }
    return { kind: "done", trimmed, deleted, more: true };
  }

  async #deleteEntry(key: ItemKey): Promise<WriteResult> {
    let last: WriteResult = { kind: "unavailable", message: "not tried" };
    for (let attempt = 0; attempt < readAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      last = await this.#store.delete(key, { kind: "none" });
      if (last.kind === "done") {
        return last;
      }
    }
    return last;
  }
}
