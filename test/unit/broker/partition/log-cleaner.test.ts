import { describe, expect, test } from "vitest";
import type { CompactionBounds, CompactionNeed } from "../../../../broker/log/compaction/compaction-plan.ts";
import type { CompactionResult } from "../../../../broker/log/compaction/compaction-run.ts";
import type { CompactionMeans } from "../../../../broker/log/compaction/log-compaction.ts";
import { LogError } from "../../../../broker/log/log-errors.ts";
import { compactionRetryMs, compactionSettleMs } from "../../../../broker/partition/limits.ts";
import { type CleanerConfigs, LogCleaner } from "../../../../broker/partition/log-cleaner.ts";
import type { Replica } from "../../../../broker/partition/replica.ts";
import { systemRandom } from "../../../../shared/ports/random.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { ManualTime } from "../handlers/manual-time.ts";

const backoffMs = 1_000;
const done: CompactionResult = { kind: "done", recordsRemoved: 3, mapUse: 0.5 };

/** A log that is dirty to a degree, and clean once it was compacted. */
class FakeLog {
  dirtyRatio: number;
  highWatermark = 100;
  syncedOffset = 1_000;
  compactedTo = 0;
  cleanedTo = 0;
  failures: Error[] = [];
  copiedTo: number | undefined;
  bounds: CompactionBounds | undefined;
  means: CompactionMeans | undefined;
  readonly name: string;
  readonly #runs: string[];

  constructor(name: string, dirtyRatio: number, runs: string[]) {
    this.name = name;
    this.dirtyRatio = dirtyRatio;
    this.#runs = runs;
  }

  compactionNeed(bounds: CompactionBounds): CompactionNeed {
    const isDue = this.dirtyRatio > 0.5 && bounds.settledOffset > 0;
    return { from: 0, to: bounds.settledOffset, dirtyRatio: this.dirtyRatio, isDue };
  }

  readonly isCompacted = true;

  async compact(bounds: CompactionBounds, means: CompactionMeans): Promise<CompactionResult> {
    this.#runs.push(this.name);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.bounds = bounds;
    this.means = means;
    this.dirtyRatio = 0;
    return done;
  }

  get replica(): Replica {
    const { highWatermark, copiedTo } = this;
    const leader = copiedTo === undefined ? undefined : { copiedTo };
    return { log: this, highWatermark, leader, context: { topicId: this.name, partition: 0 } } as unknown as Replica;
  }
}

function makeCleaner(ratios: Readonly<Record<string, number>>) {
  const time = new ManualTime();
  const runs: string[] = [];
  const logs = Object.entries(ratios).map(([name, ratio]) => new FakeLog(name, ratio, runs));
  const configs: { -readonly [Key in keyof CleanerConfigs]: CleanerConfigs[Key] } = {
    isEnabled: true,
    backoffMs,
    mapBytesMax: 1_000_000,
    ioBytesPerSecond: 5_000_000,
  };
  const cleaner = new LogCleaner({
    clock: time,
    timers: time,
    random: systemRandom,
    logger: silentLogger,
    replicas: () => logs.map(({ replica }) => replica),
    configs: () => configs,
    onCompacted: () => undefined,
  });
  cleaner.start();
  /** Time passes, look by look. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) await time.advance(100);
  };
  return { time, runs, logs, configs, cleaner, pass };
}

describe("LogCleaner", () => {
  test("works on the dirtiest log first, then on the next, and leaves alone what is clean enough", async () => {
    const { runs, pass, cleaner } = makeCleaner({ some: 0.6, most: 0.9, clean: 0.4 });
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(runs).toEqual(["most", "some"]);
    expect(cleaner.stats).toMatchObject({ runs: 2, recordsRemoved: 6, lastMapUse: 0.5, dirtyRatioMax: 0.4 });
  });

  test("takes nothing in that was not committed for a while", async () => {
    const { logs, pass } = makeCleaner({ log: 0.9 });
    const [log] = logs as [FakeLog];
    await pass(compactionSettleMs);
    log.highWatermark = 200;
    await pass(2 * backoffMs);
    expect(log.bounds?.settledOffset).toBe(100);
  });

  test("takes nothing in that is not on this broker's own disk", async () => {
    const { logs, pass } = makeCleaner({ log: 0.9 });
    const [log] = logs as [FakeLog];
    log.syncedOffset = 70;
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(log.bounds?.settledOffset).toBe(70);
  });

  test("a leader keeps the tombstones that who copies from it has yet to see; a follower need not", async () => {
    const { logs, pass } = makeCleaner({ led: 0.9, followed: 0.8 });
    const [led, followed] = logs as [FakeLog, FakeLog];
    led.copiedTo = 40;
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(led.bounds?.tombstonesKeptFrom).toBe(40);
    expect(followed.bounds?.tombstonesKeptFrom).toBe(Number.POSITIVE_INFINITY);
  });

  test("a log that cannot be compacted keeps no other waiting, and is tried again after a while; a damaged one never", async () => {
    const { runs, logs, pass, cleaner } = makeCleaner({ full: 0.9, damaged: 0.8, good: 0.7 });
    const [full, damaged] = logs as [FakeLog, FakeLog];
    full.failures = [Object.assign(new Error("no space"), { code: "ENOSPC" })];
    damaged.failures = [new LogError("LOG_CORRUPT", "file", "damaged")];
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(runs).toEqual(["full", "damaged", "good"]);
    expect(cleaner.stats.failures).toBe(2);
    await pass(compactionRetryMs + 2 * backoffMs);
    expect(runs).toEqual(["full", "damaged", "good", "full"]);
  });

  test("does nothing while log.cleaner.enable is false, and after it was stopped", async () => {
    const { runs, configs, pass, cleaner, time } = makeCleaner({ log: 0.9 });
    configs.isEnabled = false;
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(runs).toEqual([]);
    configs.isEnabled = true;
    cleaner.stop();
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(runs).toEqual([]);
    expect(time.pending).toBe(0);
  });

  test("obeys the configurations as they are", async () => {
    const { logs, configs, pass } = makeCleaner({ log: 0.9 });
    const [log] = logs as [FakeLog];
    await pass(compactionSettleMs + 3 * backoffMs);
    expect(log.means?.mapBytesMax).toBe(1_000_000);
    configs.ioBytesPerSecond = 7;
    expect(log.means?.pace.bytesPerSecond()).toBe(7);
  });
});
