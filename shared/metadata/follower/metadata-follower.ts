/**
 * A process's view of its cell's metadata: it loads the image, keeps it at the log's tail, tells subscribers what
 * changed, and takes proposals for new entries. Brokers, routers and the simulator use the same class.
 *
 *   new ──start──▶ following ◀──┐ entries pushed (`offer`), polled, or appended here
 *                    │  │  └────┘
 *                    │  └── the tail was trimmed away: reload ──▶ following (delta.reset)
 *                    └── an entry of a newer build, a hole, a malformed item ──▶ stopped (`onStopped`), for good
 *
 * A store that fails or does not answer stops nothing: the image stays, and the next poll looks again.
 */
import type { ItemStore } from "../../item-store/item-store.ts";
import { callTimeoutMs } from "../../item-store/limits.ts";
import { TimedItemStore } from "../../item-store/timed-item-store.ts";
import { objectCallTimeoutMs } from "../../object-store/limits.ts";
import type { ObjectStore } from "../../object-store/object-store.ts";
import { TimedObjectStore } from "../../object-store/timed-object-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { CancelTimer, Timers } from "../../ports/timers.ts";
import { type Logger, silentLogger } from "../../telemetry/logger.ts";
import type { Decide } from "../commands/decision.ts";
import { ImageState } from "../image/image-state.ts";
import type { MetadataDelta, MetadataImage } from "../image/metadata-image.ts";
import { replay } from "../image/replay.ts";
import { ItemMetadataLog } from "../log/item-metadata-log.ts";
import type { StoredEntry } from "../log/items/entry-item.ts";
import { entriesKeptBelowSnapshot, entriesPerSnapshot, loadAttemptsMax } from "../log/limits.ts";
import type { MetadataLog } from "../log/metadata-log.ts";
import { SnapshotStore } from "../log/snapshot-store.ts";
import { decodeEntry } from "../records/entry.ts";
import type { MetadataSeq } from "../records/record.ts";
import { pollFailuresPerWarning, pollIntervalMs } from "./limits.ts";
import type { ProposeFailed, ProposeResult } from "./proposal.ts";
import { Proposer, type ProposerHost } from "./proposer.ts";
import { SeqWaiters, type WaitResult } from "./seq-waiters.ts";

export interface MetadataFollowerOptions {
  /** The cell, which is the name of its log as well. */
  readonly cell: string;
  /** Who this is, written into entries for people: `broker-3`. */
  readonly writer?: string;
  readonly itemStore: ItemStore;
  readonly objectStore: ObjectStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger?: Logger;
  /** See `pollIntervalMs` in limits.ts. */
  readonly pollIntervalMs?: number;
  /** See `entriesPerSnapshot` and `entriesKeptBelowSnapshot` in the log's limits.ts. */
  readonly snapshots?: { readonly everyEntries: number; readonly keptBelow: number } | undefined;
}

/** Hears of every entry, once, in order, after the whole of it was applied. Must not throw. */
export type MetadataListener = (delta: MetadataDelta, image: MetadataImage) => void;

export type RefreshResult = { readonly kind: "current" } | ProposeFailed;
export type StartResult = { readonly kind: "started"; readonly seq: MetadataSeq } | ProposeFailed;
export type OfferResult = "applied" | "known" | "gap" | "stopped";

export type MaintainResult =
  | { readonly kind: "done"; readonly snapshotSeq: MetadataSeq; readonly deleted: number; readonly more: boolean }
  | ProposeFailed;

export class MetadataFollower {
  readonly #cell: string;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #pollIntervalMs: number;
  readonly #snapshotsEveryEntries: number;
  readonly #entriesKeptBelow: number;
  readonly #snapshots: SnapshotStore;
  readonly #proposer: Proposer;
  readonly #waiters: SeqWaiters;
  readonly #listeners = new Set<MetadataListener>();
  readonly #stopListeners = new Set<(message: string) => void>();
  /** The log itself, for tools and for `seal`; appending goes through `propose`. */
  readonly log: MetadataLog;

  #state: ImageState;
  #started = false;
  #stopped: string | undefined;
  #reading: Promise<RefreshResult> | undefined;
  #nextReading: Promise<RefreshResult> | undefined;
  #needsReload = false;
  #notifying = false;
  /** Written entries that arrived while subscribers were hearing of another one. */
  readonly #arrived: StoredEntry[] = [];
  #cancelPoll: CancelTimer | undefined;
  #confirmedMs: number | undefined;
  #failuresInARow = 0;

  constructor(options: MetadataFollowerOptions) {
    const { cell, timers, random } = options;
    const items = new TimedItemStore(options.itemStore, timers, callTimeoutMs);
    const objects = new TimedObjectStore(options.objectStore, timers, objectCallTimeoutMs);
    this.#cell = cell;
    this.#clock = options.clock;
    this.#timers = timers;
    this.#random = random;
    this.#logger = (options.logger ?? silentLogger).with({ cell: options.cell });
    this.#pollIntervalMs = options.pollIntervalMs ?? pollIntervalMs;
    this.#snapshotsEveryEntries = options.snapshots?.everyEntries ?? entriesPerSnapshot;
    this.#entriesKeptBelow = options.snapshots?.keptBelow ?? entriesKeptBelowSnapshot;
    this.#state = ImageState.empty(cell);
    this.#waiters = new SeqWaiters(timers);
    this.log = new ItemMetadataLog({ log: cell, store: items, timers, random });
    this.#snapshots = new SnapshotStore({ log: cell, items, objects, timers, random });
    this.#proposer = new Proposer({ host: this.#host(), log: this.log, random, writer: options.writer ?? "unnamed" });
  }

  /** The newest state known here. The same object until a reload; read it anew from here after every wait. */
  get image(): MetadataImage {
    return this.#state;
  }

  /** Why this follows no more; undefined while it does. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Milliseconds since the table last confirmed that the image is at the tail; undefined before it first did. */
  get unconfirmedMs(): number | undefined {
    return this.#confirmedMs === undefined ? undefined : this.#clock.monotonicMs() - this.#confirmedMs;
  }

  /**
   * Loads the snapshot and the tail and begins to poll. Fails when the store cannot be reached now (call again), or
   * when what it holds cannot be read (`stopped`). Subscribers hear of the load as one delta with `reset`.
   */
  async start(): Promise<StartResult> {
    if (!this.#started) {
      await this.#reload();
      if (this.#stopped !== undefined) {
        return failed("stopped", this.#stopped);
      }
      if (!this.#started) {
        return failed("unavailable", "the metadata log could not be loaded");
      }
      // Spread over the interval, so that brokers started together do not poll together.
      this.#schedulePoll(this.#pollIntervalMs * this.#random.fraction());
    }
    return { kind: "started", seq: this.#state.seq };
  }

  /** Ends polling; waiters and later proposals get `stopped`. What is under way may still be appended. */
  stop(): void {
    this.#end("stopped by its owner", "info");
  }

  /** Returns what ends the subscription. */
  subscribe(listener: MetadataListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called once when the follower cannot go on (an entry of a newer build, a damaged log) or was stopped. */
  onStopped(listener: (message: string) => void): () => void {
    this.#stopListeners.add(listener);
    return () => this.#stopListeners.delete(listener);
  }

  /** An entry that the controller pushed. Applied when it is the next one; a gap is filled from the table. */
  offer(seq: MetadataSeq, entryBytes: Buffer): OfferResult {
    if (this.#stopped !== undefined) {
      return "stopped";
    }
    const next = this.#state.seq + 1 + this.#arrived.length;
    if (!this.#started || seq > next) {
      void this.refresh();
      return "gap";
    }
    if (seq < next) {
      return "known";
    }
    this.#applyWritten([{ seq, id: "", bytes: entryBytes }]);
    return this.#stopped === undefined ? "applied" : "stopped";
  }

  /**
   * A strongly consistent look at the table that begins after this call: `current` means that the image holds every
   * entry that was appended before it.
   */
  refresh(): Promise<RefreshResult> {
    if (this.#reading === undefined) {
      return this.#startReading();
    }
    this.#nextReading ??= this.#reading.then(() => {
      this.#nextReading = undefined;
      return this.#startReading();
    });
    return this.#nextReading;
  }

  /** Resolves when the image holds entry `seq`. */
  waitFor(seq: MetadataSeq, timeoutMs: number): Promise<WaitResult> {
    if (this.#state.seq >= seq) {
      return Promise.resolve("reached");
    }
    return this.#stopped === undefined ? this.#waiters.add(seq, timeoutMs) : Promise.resolve("stopped");
  }

  /**
   * Decides on the newest image and appends what was decided at the tail; when another writer was first, applies what
   * it wrote and decides again. Proposals of one process are settled in order, several of them in one entry. The
   * promise rejects only when `decide` throws or its records break an invariant.
   */
  propose<Reply>(decide: Decide<Reply>): Promise<ProposeResult<Reply>> {
    if (!this.#started) {
      return Promise.resolve(failed("unavailable", "the metadata log is not loaded yet"));
    }
    return this.#proposer.propose(decide);
  }

  /**
   * The controller's duty every so many entries: writes a snapshot when one is due, then trims far below it. Safe to
   * call at any time, by several brokers at once; when `more`, call it again soon.
   */
  async maintain(): Promise<MaintainResult> {
    const found = await this.#snapshots.pointer();
    if (found.kind === "unavailable" || found.kind === "corrupt") {
      return failed("unavailable", found.message);
    }
    let snapshotSeq = found.kind === "pointer" ? found.pointer.seq : 0;
    if (this.#state.seq - snapshotSeq >= this.#snapshotsEveryEntries) {
      const written = await this.#snapshots.write(this.#state);
      if (written.kind !== "written") {
        return failed("unavailable", written.message);
      }
      snapshotSeq = written.seq;
      this.#logger.info("metadata-snapshot-written", { seq: written.seq, bytes: written.bytes });
    }
    const upTo = snapshotSeq - this.#entriesKeptBelow;
    if (upTo < 1) {
      return { kind: "done", snapshotSeq, deleted: 0, more: false };
    }
    const trimmed = await this.log.trim(upTo);
    if (trimmed.kind !== "done") {
      return failed("unavailable", trimmed.kind === "not-covered" ? "the snapshot is too old" : trimmed.message);
    }
    return { kind: "done", snapshotSeq, deleted: trimmed.deleted, more: trimmed.more };
  }

  #host(): ProposerHost {
    return {
      state: () => this.#state,
      stopped: () => this.#stopped,
      applyWritten: (entries) => this.#applyWritten(entries),
      refresh: () => this.refresh(),
      reload: () => this.#reload(),
    };
  }

  #schedulePoll(afterMs: number): void {
    this.#cancelPoll = this.#timers.after(afterMs, () => {
      this.#schedulePoll(this.#pollIntervalMs);
      if (this.#reading === undefined) {
        void this.refresh();
      }
    });
  }

  #startReading(): Promise<RefreshResult> {
    if (this.#stopped !== undefined) {
      return Promise.resolve(failed("stopped", this.#stopped));
    }
    this.#reading = this.#read();
    return this.#reading;
  }

  async #read(): Promise<RefreshResult> {
    // Keeps `#reading` from being set after this is over.
    await Promise.resolve();
    const result = await this.#readTail();
    this.#reading = undefined;
    if (result.kind === "current") {
      this.#failuresInARow = 0;
    } else if (this.#failuresInARow++ % pollFailuresPerWarning === 0) {
      this.#logger.warn("metadata-log-not-read", { reason: result.reason, message: result.message });
    }
    return result;
  }

  async #readTail(): Promise<RefreshResult> {
    if (!this.#started || this.#needsReload) {
      await this.#reload();
      return this.#needsReload || !this.#started
        ? failed("unavailable", "the metadata log could not be loaded")
        : { kind: "current" };
    }
    for (;;) {
      const beganMs = this.#clock.monotonicMs();
      const read = await this.log.readNext(this.#state.seq + 1);
      switch (read.kind) {
        case "entries":
          this.#applyWritten(read.entries);
          break;
        case "trimmed":
          this.#needsReload = true;
          return this.#readTail();
        case "unavailable":
          return failed("unavailable", read.message);
        case "corrupt":
          this.#halt(read.message);
          break;
      }
      if (this.#stopped !== undefined) {
        return failed("stopped", this.#stopped);
      }
      if (read.kind === "entries" && !read.more) {
        this.#confirmedMs = beganMs;
        return { kind: "current" };
      }
    }
  }

  /** Applies entries that are in the log, in order; those applied before are passed over. */
  #applyWritten(entries: readonly StoredEntry[]): void {
    this.#arrived.push(...entries);
    if (this.#notifying) {
      return;
    }
    this.#notifying = true;
    for (let entry = this.#arrived.shift(); entry !== undefined; entry = this.#arrived.shift()) {
      if (this.#stopped === undefined && entry.seq === this.#state.seq + 1) {
        this.#applyNext(entry);
      }
    }
    this.#notifying = false;
  }

  #applyNext(entry: StoredEntry): void {
    const decoded = decodeEntry(entry.bytes);
    if (decoded.kind !== "decoded") {
      this.#halt(`entry ${entry.seq} of log ${this.#cell} cannot be read: ${decoded.message}`);
      return;
    }
    const delta = replay(this.#state, entry.seq, decoded.entry.records);
    this.#tell(delta);
  }

  #tell(delta: MetadataDelta): void {
    for (const listener of Array.from(this.#listeners)) {
      listener(delta, this.#state);
    }
    this.#waiters.reached(this.#state.seq);
  }

  /** Replaces the image by the newest snapshot and the tail after it. Leaves it as it is when they cannot be read. */
  async #reload(): Promise<void> {
    this.#needsReload = true;
    for (let attempt = 0; attempt < loadAttemptsMax && this.#stopped === undefined; attempt++) {
      const loaded = await this.#snapshots.load();
      if (loaded.kind === "unavailable") {
        return;
      }
      if (loaded.kind === "unsupported" || loaded.kind === "corrupt") {
        this.#halt(loaded.message);
        return;
      }
      const state = loaded.kind === "loaded" ? loaded.state : ImageState.empty(this.#cell);
      const tail = await this.#replayTail(state);
      if (tail === "unavailable") {
        return;
      }
      if (tail === "complete") {
        this.#replace(state);
        return;
      }
    }
  }

  /** `trimmed`: the trim overtook the load, which must begin again. */
  async #replayTail(state: ImageState): Promise<"complete" | "trimmed" | "unavailable"> {
    for (;;) {
      const beganMs = this.#clock.monotonicMs();
      const read = await this.log.readNext(state.seq + 1);
      if (read.kind === "corrupt") {
        this.#halt(read.message);
        return "unavailable";
      }
      if (read.kind !== "entries") {
        return read.kind;
      }
      for (const entry of read.entries) {
        const decoded = decodeEntry(entry.bytes);
        if (decoded.kind !== "decoded") {
          this.#halt(`entry ${entry.seq} of log ${this.#cell} cannot be read: ${decoded.message}`);
          return "unavailable";
        }
        replay(state, entry.seq, decoded.entry.records);
      }
      if (!read.more) {
        this.#confirmedMs = beganMs;
        return "complete";
      }
    }
  }

  #replace(state: ImageState): void {
    const before = this.#state;
    this.#needsReload = false;
    this.#started = true;
    if (state.seq < before.seq) {
      return; // Entries pushed meanwhile brought the old image further than the load.
    }
    this.#state = state;
    this.#tell(resetDelta(before, state));
  }

  #halt(message: string): void {
    this.#end(message, "error");
  }

  #end(message: string, level: "info" | "error"): void {
    if (this.#stopped !== undefined) {
      return;
    }
    this.#stopped = message;
    this.#cancelPoll?.();
    this.#waiters.stop();
    this.#logger[level]("metadata-follower-stopped", { message });
    for (const listener of Array.from(this.#stopListeners)) {
      listener(message);
    }
  }
}

/** Everything may have changed; what is gone is told, since nothing else would. */
function resetDelta(before: MetadataImage, after: MetadataImage): MetadataDelta {
  const deleted = [...before.topics].filter(([topicId]) => !after.topics.has(topicId));
  return {
    seq: after.seq,
    topicsChanged: new Map(),
    topicsDeleted: new Map(deleted),
    brokersChanged: new Set([...before.brokers.keys(), ...after.brokers.keys()]),
    apiKeysChanged: new Set([...before.apiKeys.keys(), ...after.apiKeys.keys()]),
    logicalClustersChanged: new Set([...before.logicalClusters.keys(), ...after.logicalClusters.keys()]),
    controllerChanged: true,
    cellConfigsChanged: true,
    reset: true,
  };
}

function failed(reason: ProposeFailed["reason"], message: string): ProposeFailed {
  return { kind: "failed", reason, message };
}
