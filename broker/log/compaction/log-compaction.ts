/** Compaction as a log sees it: one run at a time, ended before its files are closed or removed. */
import type { LogContent } from "../log-content.ts";
import type { Offset } from "../log-contract.ts";
import type { LogEnvironment } from "../log-environment.ts";
import type { LogMaintenance, SegmentSwap } from "../log-maintenance.ts";
import type { CompactionState } from "../log-state-file.ts";
import type { LogTail } from "../tail-cache.ts";
import { CompactionPace, type PaceOptions } from "./compaction-pace.ts";
import { type CompactionBounds, type CompactionNeed, compactionNeed } from "./compaction-plan.ts";
import { type CompactionResult, CompactionRun } from "./compaction-run.ts";
import type { KeyHash } from "./key-hash.ts";

/** What a broker gives to a run, and takes back. */
export interface CompactionMeans {
  readonly pace: PaceOptions;
  readonly mapBytesMax: number;
  readonly keys: KeyHash;
}

const nothingDone: CompactionResult = { kind: "stopped", recordsRemoved: 0, mapUse: 0 };

export class LogCompaction {
  readonly #environment: LogEnvironment;
  readonly #content: LogContent;
  readonly #maintenance: LogMaintenance;
  readonly #tail: LogTail;
  /** Is the log open and well? */
  readonly #isOpen: () => boolean;
  #running: Promise<unknown> | undefined;

  constructor(
    environment: LogEnvironment,
    content: LogContent,
    maintenance: LogMaintenance,
    options: { readonly tail: LogTail; readonly isOpen: () => boolean },
  ) {
    this.#environment = environment;
    this.#content = content;
    this.#maintenance = maintenance;
    this.#tail = options.tail;
    this.#isOpen = options.isOpen;
  }

  get compactedTo(): Offset {
    return this.#content.compaction.compactedTo;
  }

  get cleanedTo(): Offset {
    return this.#content.compaction.cleanedTo;
  }

  get tombstonesGoneBelow(): Offset {
    return this.#content.compaction.tombstonesGoneBelow;
  }

  /** What there is to do; undefined for a log that is not to be compacted. */
  need(bounds: CompactionBounds): CompactionNeed | undefined {
    const rules = this.#content.config.compaction;
    return rules === undefined || !this.isWanted ? undefined : compactionNeed(this.#content, rules, bounds);
  }

  /** One pass; nothing when one is under way. Rejects as `CompactionRun.run`. */
  async run(bounds: CompactionBounds, means: CompactionMeans): Promise<CompactionResult> {
    const need = this.need(bounds);
    const rules = this.#content.config.compaction;
    if (need === undefined || rules === undefined || this.#running !== undefined) return nothingDone;
    const { mapBytesMax, keys } = means;
    const run = new CompactionRun(this.#log, {
      from: need.from,
      to: need.to,
      tombstonesKeptFrom: bounds.tombstonesKeptFrom,
      nowMs: bounds.wallMs,
      deleteRetentionMs: rules.deleteRetentionMs,
      mapBytesMax,
      keys,
      pace: new CompactionPace(means.pace, () => this.isWanted),
    });
    const running = run.run().finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  /** Resolves when no run is under way; one that is ends soon once the log is not open any more. */
  async ended(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  /** Is the log to be compacted, and open? */
  get isWanted(): boolean {
    return this.#isOpen() && this.#content.config.compaction !== undefined;
  }

  get #log() {
    const content = this.#content;
    const { cuts } = content;
    return {
      environment: this.#environment,
      content,
      exchange: (swap: SegmentSwap | undefined, compaction: CompactionState) =>
        this.#maintenance.exclusive(async () => {
          if (!this.isWanted || content.cuts !== cuts) return false;
          return this.#maintenance.exchange(swap, compaction, () => this.#tail.dropBelow(swap?.made.endOffset ?? 0));
        }),
    };
  }
}
