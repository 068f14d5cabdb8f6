/** Snapshots of a cell's image in the object store, under a pointer item that only ever moves forward. */
import { createHash } from "node:crypto";
import type { ItemStore } from "../../item-store/item-store.ts";
import type { ObjectStore } from "../../object-store/object-store.ts";
import { type Random, randomUuid } from "../../ports/random.ts";
import type { Timers } from "../../ports/timers.ts";
import type { ImageState } from "../image/image-state.ts";
import type { MetadataImage } from "../image/metadata-image.ts";
import {
  type CapturedImage,
  captureImage,
  decodeSnapshot,
  frameSnapshot,
  snapshotBody,
  snapshotHash,
  snapshotLineFault,
  snapshotLines,
} from "../image/snapshot.ts";
import type { MetadataSeq } from "../records/record.ts";
import { Backoff } from "./backoff.ts";
import { type SnapshotPointer, snapshotPointerItem, snapshotPointerUnchanged } from "./items/snapshot-pointer-item.ts";
import { loadAttemptsMax, reservedItemAttemptsMax, snapshotLinesPerTurn } from "./limits.ts";
import type { LogCorrupt, LogUnavailable } from "./metadata-log.ts";
import { repeatedRead } from "./repeated-read.ts";
import { retriedRead } from "./retried-read.ts";
import { readSnapshotPointer, type SnapshotPointerResult } from "./snapshot-pointer.ts";

export interface SnapshotStoreOptions {
  /** Name of the log: the cell. */
  readonly log: string;
  /** Answers every call in bounded time, like `objects`. */
  readonly items: ItemStore;
  readonly objects: ObjectStore;
  readonly timers: Timers;
  readonly random: Random;
}

/** A newer build wrote the snapshot: the reader must stop. */
export type SnapshotUnsupported = { readonly kind: "unsupported"; readonly message: string };

export type SnapshotLoadResult =
  | { readonly kind: "loaded"; readonly state: ImageState }
  | { readonly kind: "none" }
  | SnapshotUnsupported
  | LogUnavailable
  | LogCorrupt;

export type SnapshotWriteResult =
  /** The pointer names this snapshot, or one at least as new that somebody else wrote. */
  { readonly kind: "written"; readonly seq: MetadataSeq; readonly bytes: number } | LogUnavailable | LogCorrupt;

export class SnapshotStore {
  readonly #log: string;
  readonly #items: ItemStore;
  readonly #objects: ObjectStore;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #backoff: Backoff;

  constructor(options: SnapshotStoreOptions) {
    this.#log = options.log;
    this.#items = options.items;
    this.#objects = options.objects;
    this.#timers = options.timers;
    this.#random = options.random;
    this.#backoff = new Backoff(options.timers, options.random);
  }

  pointer(): Promise<SnapshotPointerResult> {
    return readSnapshotPointer(this.#items, this.#log, this.#backoff);
  }

  /**
   * Loads the newest snapshot. While it does, the pointer may move on and the old object be swept: it looks again, a
   * bounded number of times.
   */
  async load(): Promise<SnapshotLoadResult> {
    for (let attempt = 0; attempt < loadAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      const found = await this.pointer();
      if (found.kind !== "pointer") {
        return found;
      }
      const get = () => this.#objects.get(found.pointer.objectKey);
      const object = await retriedRead(this.#backoff, () => repeatedRead(this.#timers, get));
      if (object.kind === "unavailable") {
        return object;
      }
      if (object.kind === "found") {
        return decodedAs(found.pointer, this.#log, object.body);
      }
    }
    return { kind: "unavailable", message: "the snapshot that the pointer names is not there" };
  }

  /**
   * Writes a snapshot of the image as it is now, reads it back, verifies it, and only then moves the pointer to it.
   * Takes many turns of the event loop, none of them long: a broker serves clients meanwhile.
   */
  async write(image: MetadataImage): Promise<SnapshotWriteResult> {
    const captured = captureImage(image);
    const { seq, featureLevel } = captured.header;
    const bytes = await this.#encode(captured);
    const pointer: SnapshotPointer = {
      seq,
      // Unique, so that a writer that was taken for dead cannot touch the object of another.
      objectKey: `metadata/${this.#log}/${String(seq).padStart(16, "0")}-${randomUuid(this.#random)}`,
      sha256: snapshotHash(bytes).toString("hex"),
    };
    const put = await this.#objects.put(pointer.objectKey, bytes, { ifAbsent: true });
    if (put.kind !== "done" && put.kind !== "unknown") {
      return { kind: "unavailable", message: `snapshot not written: ${put.kind}` };
    }
    const back = await retriedRead(this.#backoff, () => this.#objects.get(pointer.objectKey));
    if (back.kind !== "found") {
      return { kind: "unavailable", message: `snapshot not read back: ${back.kind}` };
    }
    const fault = back.body.equals(bytes) ? await this.#fault(back.body, featureLevel) : "other bytes came back";
    return fault === undefined
      ? this.#point(pointer, bytes.length)
      : { kind: "corrupt", message: `snapshot ${pointer.objectKey}: ${fault}` };
  }

  async #encode(captured: CapturedImage): Promise<Buffer> {
    const hash = createHash("sha256");
    const body: Buffer[] = [];
    let lines: string[] = [];
    const flush = () => {
      const chunk = Buffer.from(`${body.length === 0 ? "" : "\n"}${lines.join("\n")}`);
      hash.update(chunk);
      body.push(chunk);
      lines = [];
    };
    for (const line of snapshotLines(captured)) {
      lines.push(line);
      if (lines.length === snapshotLinesPerTurn) {
        flush();
        await this.#turn();
      }
    }
    if (lines.length > 0) {
      flush();
    }
    return frameSnapshot(body, hash.digest());
  }

  /** Why the snapshot cannot be loaded as what it was written for; undefined when it can. */
  async #fault(bytes: Buffer, featureLevel: number): Promise<string | undefined> {
    const lines = snapshotBody(bytes).toString().split("\n");
    for (const [index, line] of lines.entries()) {
      const fault = snapshotLineFault(line, index, featureLevel);
      if (fault !== undefined) {
        return fault;
      }
      if (index % snapshotLinesPerTurn === 0) {
        await this.#turn();
      }
    }
    return undefined;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#timers.afterTurn(resolve));
  }

  async #point(pointer: SnapshotPointer, bytes: number): Promise<SnapshotWriteResult> {
    for (let attempt = 0; attempt < reservedItemAttemptsMax; attempt++) {
      await this.#backoff.before(attempt);
      const present = await this.pointer();
      if (present.kind === "unavailable" || present.kind === "corrupt") {
        return present;
      }
      const before = present.kind === "pointer" ? present.pointer : undefined;
      if (before !== undefined && before.seq >= pointer.seq) {
        return { kind: "written", seq: before.seq, bytes };
      }
      const put = await this.#items.put(snapshotPointerItem(this.#log, pointer), snapshotPointerUnchanged(before));
      if (put.kind === "done") {
        return { kind: "written", seq: pointer.seq, bytes };
      }
    }
    return { kind: "unavailable", message: "the snapshot pointer could not be moved" };
  }
}

function decodedAs(pointer: SnapshotPointer, log: string, bytes: Buffer): SnapshotLoadResult {
  if (snapshotHash(bytes).toString("hex") !== pointer.sha256) {
    return { kind: "corrupt", message: `snapshot ${pointer.objectKey} does not match its pointer` };
  }
  const decoded = decodeSnapshot(bytes);
  if (decoded.kind !== "decoded") {
    return decoded;
  }
  const { state } = decoded;
  return state.seq === pointer.seq && state.cell === log
    ? { kind: "loaded", state }
    : { kind: "corrupt", message: `snapshot ${pointer.objectKey} is of ${state.cell} at ${state.seq}` };
}
