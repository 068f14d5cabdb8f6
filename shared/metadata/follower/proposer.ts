/**
 * Serializes the proposals of one process: one entry under way at a time, gathered from all that wait.
 *
 *   queued ──draft──▶ drafted ──append──▶ appended ──apply──▶ done
 *     ▲                 │  ▲                │
 *     │ deferred        │  └── conflict ────┤ apply what won, decide again
 *     └─────────────────┤                   ├── unavailable, unknown, sealed ──▶ failed
 *                       │ no records        └── trimmed ──▶ reload, failed
 *                       └── refresh: nothing newer ──▶ refused; newer ──▶ decide again
 */
import { type Random, randomUuid } from "../../ports/random.ts";
import type { Decide } from "../commands/decision.ts";
import type { ImageState } from "../image/image-state.ts";
import type { StoredEntry } from "../log/items/entry-item.ts";
import type { AppendResult, MetadataLog } from "../log/metadata-log.ts";
import { encodeEntry } from "../records/entry.ts";
import type { MetadataSeq } from "../records/record.ts";
import { conflictsMax, proposalsPerEntryMax, proposalsQueuedMax } from "./limits.ts";
import type { ProposeFailed, ProposeResult } from "./proposal.ts";
import { type Draft, draftEntry } from "./proposal-draft.ts";

/** What the proposer needs of the follower it belongs to. */
export interface ProposerHost {
  /** The newest image; another object after a reload. */
  state(): ImageState;
  /** Why the follower follows no more; undefined while it does. */
  stopped(): string | undefined;
  /** Applies entries that are known to be in the log; those applied before are passed over. */
  applyWritten(entries: readonly StoredEntry[]): void;
  /** Brings the image at least to where the log's tail is at the moment of the call. */
  refresh(): Promise<{ readonly kind: "current" } | ProposeFailed>;
  reload(): Promise<void>;
}

interface Proposal {
  readonly decide: Decide<unknown>;
  readonly resolve: (result: ProposeResult<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

export class Proposer {
  readonly #host: ProposerHost;
  readonly #log: MetadataLog;
  readonly #random: Random;
  readonly #writer: string;
  readonly #queue: Proposal[] = [];
  #draining = false;

  constructor(options: { host: ProposerHost; log: MetadataLog; random: Random; writer: string }) {
    this.#host = options.host;
    this.#log = options.log;
    this.#random = options.random;
    this.#writer = options.writer;
  }

  propose<Reply>(decide: Decide<Reply>): Promise<ProposeResult<Reply>> {
    if (this.#queue.length >= proposalsQueuedMax) {
      return Promise.resolve(failed("overloaded", `${proposalsQueuedMax} proposals wait already`));
    }
    return new Promise((resolve, reject) => {
      // A reply comes back exactly as its own `decide` made it: the queue only forgets its type meanwhile.
      this.#queue.push({ decide, resolve: resolve as Proposal["resolve"], reject });
      if (!this.#draining) {
        this.#draining = true;
        void this.#drain();
      }
    });
  }

  async #drain(): Promise<void> {
    // One turn of promises, so that proposals made together share an entry.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, proposalsPerEntryMax);
      const deferred = await this.#settle(batch);
      this.#queue.unshift(...deferred);
    }
    this.#draining = false;
  }

  /** Answers the proposals of the batch, except those that did not fit, which it gives back. */
  async #settle(batch: readonly Proposal[]): Promise<readonly Proposal[]> {
    for (let attempt = 0; attempt < conflictsMax; attempt++) {
      const stopped = this.#host.stopped();
      if (stopped !== undefined) {
        return answerAll(batch, failed("stopped", stopped));
      }
      const state = this.#host.state();
      const seq = state.seq + 1;
      const draft = draftEntry(state, batch);
      if (draft.records.length === 0) {
        const refreshed = await this.#host.refresh();
        if (refreshed.kind === "failed") {
          return answerAll(batch, refreshed);
        }
        if (this.#host.state().seq + 1 === seq) {
          return answerDraft(draft, undefined);
        }
        continue;
      }
      const entry = this.#encode(seq, draft);
      const appended = await this.#log.append(entry);
      if (appended.kind === "appended") {
        this.#host.applyWritten([entry]);
        return answerDraft(draft, entry);
      }
      if (appended.kind === "conflict") {
        this.#host.applyWritten(appended.entries);
        continue;
      }
      if (appended.kind === "trimmed") {
        await this.#host.reload();
      }
      return answerAll(batch, appendFailed(appended));
    }
    return answerAll(batch, failed("too-many-conflicts", `${conflictsMax} times another writer was first`));
  }

  #encode(seq: MetadataSeq, draft: Draft<Proposal>): StoredEntry {
    const id = randomUuid(this.#random);
    const { featureLevel } = this.#host.state();
    const encoded = encodeEntry({ id, writer: this.#writer, featureLevel, records: draft.records });
    if (encoded.kind !== "encoded") {
      throw new Error("a draft was larger than the entry it was measured for");
    }
    return { seq, id, bytes: encoded.bytes };
  }
}

function answerAll(batch: readonly Proposal[], result: ProposeFailed): readonly Proposal[] {
  for (const proposal of batch) {
    proposal.resolve(result);
  }
  return [];
}

function answerDraft(draft: Draft<Proposal>, entry: StoredEntry | undefined): readonly Proposal[] {
  for (const outcome of draft.outcomes) {
    switch (outcome.kind) {
      case "threw":
        outcome.proposal.reject(outcome.error);
        break;
      case "too-large":
        outcome.proposal.resolve(failed("too-large", "the change does not fit into one entry"));
        break;
      case "decided":
        outcome.proposal.resolve(
          entry === undefined || outcome.records.length === 0
            ? { kind: "refused", reply: outcome.reply }
            : { kind: "done", seq: entry.seq, entryBytes: entry.bytes, reply: outcome.reply },
        );
        break;
    }
  }
  return draft.deferred;
}

function appendFailed(result: Exclude<AppendResult, { kind: "appended" | "conflict" }>): ProposeFailed {
  switch (result.kind) {
    case "trimmed":
      return failed("trimmed", `the log is trimmed up to ${result.trimmed}; the image was reloaded`);
    case "sealed":
      return failed("sealed", "the log is sealed");
    case "unknown":
      return failed("unknown", result.message);
    case "unavailable":
      return failed("unavailable", result.message);
    case "corrupt":
      return failed("stopped", result.message);
  }
}

function failed(reason: ProposeFailed["reason"], message: string): ProposeFailed {
  return { kind: "failed", reason, message };
}
