/**
 * Appends to a cell's metadata log without knowing its image: for the functions, whose records are self-contained upserts
 * keyed by id, valid whatever came before (DESIGN section 4).
 *
 *   read the tail ──▶ decide (read the control plane's items) ──▶ put at tail + 1 ──▶ done
 *        ▲                                                            │
 *        └──────── somebody else's entry is there, or in doubt ───────┘
 *
 * The order of the first two is what makes it safe: what was decided on items read after the tail can only land right
 * behind that tail. A writer that was overtaken, for however long, collides, reads the items again, and decides anew. So
 * the log never ends with what an older state of an item wanted, and no clock or lock is needed for it.
 */
import { type Random, randomUuid } from "../../ports/random.ts";
import type { Timers } from "../../ports/timers.ts";
import { encodeEntry } from "../records/entry.ts";
import { featureLevelBase } from "../records/limits.ts";
import type { MetadataRecord, MetadataSeq } from "../records/record.ts";
import { tailAppendAttemptsMax, tailAppendsPerEntryMax, tailBackoffMs } from "./limits.ts";
import type { LogCorrupt, LogUnavailable, MetadataLog } from "./metadata-log.ts";

/** What to append, from items read now. Called after the tail was read, maybe several times. None: nothing to do. */
export type DecideRecords = () => Promise<readonly MetadataRecord[]>;

export type TailAppendResult =
  /** The records are in the log, in entry `seq`, or a later one has what overtook them. */
  | { readonly kind: "appended"; readonly seq: MetadataSeq }
  | { readonly kind: "nothing" }
  | { readonly kind: "sealed" }
  /** Not done, or in doubt: do it again. */
  | LogUnavailable
  | LogCorrupt;

export interface TailAppenderOptions {
  readonly log: MetadataLog;
  /** Who writes, for people: `provisioning`. */
  readonly writer: string;
  /** A number that was once written, to look for the tail from: that of the newest snapshot. */
  hint(): Promise<MetadataSeq>;
  readonly timers: Timers;
  readonly random: Random;
}

interface Waiting {
  readonly decide: DecideRecords;
  readonly resolve: (result: TailAppendResult) => void;
  readonly reject: (error: unknown) => void;
}

export class TailAppender {
  readonly #options: TailAppenderOptions;
  readonly #queue: Waiting[] = [];
  #known: MetadataSeq | undefined;
  #draining = false;

  constructor(options: TailAppenderOptions) {
    this.#options = options;
  }

  /** Rejects with what `decide` rejected with. Those that wait at the same time share an entry. */
  append(decide: DecideRecords): Promise<TailAppendResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ decide, resolve, reject });
      if (this.#draining) return;
      this.#draining = true;
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, tailAppendsPerEntryMax);
      try {
        await this.#appendAll(batch);
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    this.#draining = false;
  }

  async #appendAll(batch: readonly Waiting[]): Promise<void> {
    let left = batch;
    let last: TailAppendResult = { kind: "unavailable", message: "the tail kept moving" };
    for (let attempt = 0; attempt < tailAppendAttemptsMax && left.length > 0; attempt++) {
      if (attempt > 0) await this.#pause();
      const tail = await this.#tail();
      if (tail.kind !== "tail") {
        last = tail;
        if (tail.kind === "unavailable") continue;
        break;
      }
      const decided = await decideAll(left);
      left = decided.map(({ waiting }) => waiting);
      if (left.length === 0) return;
      const outcome = await this.#put(
        tail.seq + 1,
        decided.flatMap(({ records }) => records),
      );
      if (outcome.kind === "appended") {
        for (const waiting of left) waiting.resolve(outcome);
        return;
      }
      if (outcome.kind === "again") continue;
      last = outcome;
      break;
    }
    for (const waiting of left) waiting.resolve(last);
  }

  async #put(
    seq: MetadataSeq,
    records: readonly MetadataRecord[],
  ): Promise<TailAppendResult | { readonly kind: "again" }> {
    const id = randomUuid(this.#options.random);
    // Records of the base level only: a function never raises it (DESIGN section 4, Versions).
    const encoded = encodeEntry({ id, writer: this.#options.writer, featureLevel: featureLevelBase, records });
    if (encoded.kind === "too-large") throw new Error("records of a function are larger than an entry");
    const result = await this.#options.log.append({ seq, id, bytes: encoded.bytes });
    switch (result.kind) {
      case "appended":
        this.#known = seq;
        return { kind: "appended", seq };
      case "conflict":
        this.#known = seq + result.entries.length - 1;
        return { kind: "again" };
      case "trimmed":
        this.#known = result.trimmed;
        return { kind: "again" };
      case "unknown":
      case "unavailable":
        // In doubt it may yet land at this number; then the next round collides with it and appends behind it.
        return { kind: "again" };
      case "sealed":
      case "corrupt":
        return result;
    }
  }

  async #tail(): Promise<
    { readonly kind: "tail"; readonly seq: MetadataSeq } | { readonly kind: "sealed" } | LogUnavailable | LogCorrupt
  > {
    const from = (this.#known ??= await this.#options.hint());
    const tail = await this.#options.log.checkTail(from);
    switch (tail.kind) {
      case "tail":
        this.#known = tail.seq;
        return tail.sealed ? { kind: "sealed" } : tail;
      case "trimmed":
        this.#known = tail.trimmed;
        return { kind: "unavailable", message: "the log was trimmed meanwhile" };
      case "unavailable":
      case "corrupt":
        return tail;
    }
  }

  #pause(): Promise<void> {
    const { timers, random } = this.#options;
    return new Promise((resolve) => timers.after(tailBackoffMs * random.fraction(), resolve));
  }
}

/** Who has nothing (more) to append, or cannot tell, is answered here. */
async function decideAll(
  batch: readonly Waiting[],
): Promise<readonly { readonly waiting: Waiting; readonly records: readonly MetadataRecord[] }[]> {
  const decided = await Promise.all(
    batch.map(async (waiting) => {
      try {
        return { waiting, records: await waiting.decide() };
      } catch (error) {
        waiting.reject(error);
        return undefined;
      }
    }),
  );
  return decided.filter((one) => {
    if (one?.records.length === 0) one.waiting.resolve({ kind: "nothing" });
    return one !== undefined && one.records.length > 0;
  }) as readonly { readonly waiting: Waiting; readonly records: readonly MetadataRecord[] }[];
}
