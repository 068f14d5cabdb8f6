import type { Clock } from "../../shared/ports/clock.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import { IoBudget } from "../log/compaction/compaction-pace.ts";
import type { CompactionBounds, CompactionNeed } from "../log/compaction/compaction-plan.ts";
import { hashSecretBytes, KeyHash } from "../log/compaction/key-hash.ts";
import type { CompactionMeans } from "../log/compaction/log-compaction.ts";
import type { Offset, PartitionLogContract } from "../log/log-contract.ts";
import { LogError } from "../log/log-errors.ts";
import { cleanerPauseMsMin, compactionRetryMs, compactionSettleMs, watermarksPerSettling } from "./limits.ts";
import type { Replica } from "./replica.ts";

/** The cell's configurations of compaction, as they are now. */
export interface CleanerConfigs {
  readonly isEnabled: boolean;
  readonly backoffMs: number;
  readonly mapBytesMax: number;
  readonly ioBytesPerSecond: number;
}

export interface LogCleanerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  replicas(): Iterable<Replica>;
  configs(): CleanerConfigs;
  /** A pass over one log ended. */
  onCompacted(): void;
  /** See `compactionSettleMs`; lower in the simulator. */
  readonly settleMs?: number | undefined;
}

/** What it did so far, for the metrics. */
export interface CleanerStats {
  runs: number;
  failures: number;
  recordsRemoved: number;
  lastRunMs: number;
  lastMapUse: number;
  /** Of the logs looked at last, the largest. */
  dirtyRatioMax: number;
}

/** A high watermark, and when it was seen, on the monotonic clock. */
interface Watermark {
  readonly offset: Offset;
  readonly seenMs: number;
}

interface Candidate {
  readonly replica: Replica;
  readonly need: CompactionNeed;
  readonly bounds: CompactionBounds;
}

/**
 * Compacts the logs of a broker, one at a time, the dirtiest first: looks at all of them, works on one, looks again; when
 * there is none to work on it waits for `log.cleaner.backoff.ms`.
 *
 * Leader or follower makes no difference: each replica compacts its own log (docs/adr/0009).
 */
export class LogCleaner {
  readonly stats: CleanerStats = {
    runs: 0,
    failures: 0,
    recordsRemoved: 0,
    lastRunMs: 0,
    lastMapUse: 0,
    dirtyRatioMax: 0,
  };
  readonly budget = new IoBudget();
  readonly #ports: LogCleanerPorts;
  readonly #keys: KeyHash;
  readonly #settleMs: number;
  /** Of each log: the newest that has settled or else the oldest, and those after it. */
  readonly #watermarks = new WeakMap<PartitionLogContract, Watermark[]>();
  /** Logs that could not be compacted, and until when they are left alone. */
  readonly #avoided = new WeakMap<PartitionLogContract, number>();
  #cancel: CancelTimer = () => undefined;
  #cancelSamples: CancelTimer = () => undefined;
  #isStopped = false;

  constructor(ports: LogCleanerPorts) {
    this.#ports = ports;
    this.#keys = new KeyHash(ports.random.bytes(hashSecretBytes));
    this.#settleMs = ports.settleMs ?? compactionSettleMs;
  }

  start(): void {
    this.#sample();
    this.#wait(this.#ports.configs().backoffMs);
  }

  /** Begins no run any more; one under way ends with its log. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    this.#cancelSamples();
  }

  #wait(ms: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#ports.timers.after(Math.max(ms, cleanerPauseMsMin), () => void this.#work());
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    const { isEnabled, backoffMs } = this.#ports.configs();
    const dirtiest = isEnabled ? this.#dirtiest() : undefined;
    if (dirtiest === undefined) return this.#wait(backoffMs);
    await this.#compact(dirtiest);
    this.#wait(cleanerPauseMsMin);
  }

  /** The log with the largest dirty part of those that are due. */
  #dirtiest(): Candidate | undefined {
    const { clock } = this.#ports;
    const nowMs = clock.monotonicMs();
    let dirtiest: Candidate | undefined;
    this.stats.dirtyRatioMax = 0;
    for (const replica of this.#ports.replicas()) {
      const { log } = replica;
      const settledOffset = this.#settledOffset(log, nowMs);
      // Only a leader is copied from.
      const tombstonesKeptFrom = replica.leader?.copiedTo ?? Number.POSITIVE_INFINITY;
      const bounds = { wallMs: clock.wallMs(), settledOffset, tombstonesKeptFrom };
      const need = log.compactionNeed(bounds);
      if (need === undefined) continue;
      this.stats.dirtyRatioMax = Math.max(this.stats.dirtyRatioMax, need.dirtyRatio);
      if (!need.isDue || (this.#avoided.get(log) ?? 0) > nowMs) continue;
      if (dirtiest === undefined || need.dirtyRatio > dirtiest.need.dirtyRatio) dirtiest = { replica, need, bounds };
    }
    return dirtiest;
  }

  #sample(): void {
    this.#cancelSamples = this.#ports.timers.after(this.#settleMs / watermarksPerSettling, () => this.#sample());
    const nowMs = this.#ports.clock.monotonicMs();
    for (const { log, highWatermark } of this.#ports.replicas()) {
      if (!log.isCompacted) continue;
      const known = this.#watermarks.get(log) ?? [];
      known.push({ offset: highWatermark, seenMs: nowMs });
      while (nowMs - (known[1]?.seenMs ?? nowMs) >= this.#settleMs) known.shift();
      this.#watermarks.set(log, known);
    }
  }

  /**
   * The high watermark as it was known `settleMs` ago: a quorum has synced all below since, so that not even a power cut
   * takes from the log a record for whose sake another one was left out.
   */
  #settledOffset(log: PartitionLogContract, nowMs: number): Offset {
    const settled = this.#watermarks.get(log)?.findLast(({ seenMs }) => nowMs - seenMs >= this.#settleMs);
    return Math.min(settled?.offset ?? 0, log.syncedOffset);
  }

  async #compact({ replica, need, bounds }: Candidate): Promise<void> {
    const { clock, logger } = this.#ports;
    const { log } = replica;
    const { topicId, partition } = replica.context;
    const startedMs = clock.monotonicMs();
    try {
      const { kind, recordsRemoved, mapUse } = await log.compact(bounds, this.#means());
      const tookMs = clock.monotonicMs() - startedMs;
      Object.assign(this.stats, { lastRunMs: tookMs, lastMapUse: mapUse });
      this.stats.recordsRemoved += recordsRemoved;
      if (kind === "stopped") return;
      this.stats.runs += 1;
      this.#ports.onCompacted();
      logger.info("log-compacted", {
        topicId,
        partition,
        from: need.from,
        to: log.compactedTo,
        recordsRemoved,
        tookMs,
      });
    } catch (error) {
      this.stats.failures += 1;
      const isCorrupt = error instanceof LogError && error.code === "LOG_CORRUPT";
      // What is damaged stays so until the log is opened again; a full disk may have room later.
      this.#avoided.set(log, isCorrupt ? Number.POSITIVE_INFINITY : clock.monotonicMs() + compactionRetryMs);
      logger.warn("log-not-compacted", { topicId, partition, error: String(error) });
    }
  }

  #means(): CompactionMeans {
    const { clock, timers } = this.#ports;
    const bytesPerSecond = () => this.#ports.configs().ioBytesPerSecond;
    const pace = { clock, timers, budget: this.budget, bytesPerSecond };
    return { pace, mapBytesMax: this.#ports.configs().mapBytesMax, keys: this.#keys };
  }
}
