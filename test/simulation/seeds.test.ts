/**
 * Whole cells of real brokers under faults, from fixed seeds: no acknowledged record lost or moved, replicas alike below the
 * high watermark, one leader an epoch, and the rest of `checkers/`. And the proof that the runs went where it matters: a kind
 * of fault, or a path of the code, that none of them met fails the test.
 */
import { afterAll, describe, expect, test } from "vitest";
import { replayCommand, runSeed } from "./run-seed.ts";
import { Coverage } from "./world/coverage.ts";

const seeds = Array.from({ length: 50 }, (_, index) => index + 1);
const seedMsMax = 120_000;

describe("a cell under faults", () => {
  const coverage = new Coverage();

  test.each(seeds)("seed %i", { timeout: seedMsMax }, async (seed) => {
    const result = await runSeed({ seed });
    coverage.addAll(result.coverage);
    expect(result.failure, replayCommand({ seed })).toBeUndefined();
    expect(result.acknowledged).toBeGreaterThan(0);
  });

  afterAll(() => {
    const missed = mustOccur.filter((name) => coverage.of(name) === 0);
    expect(missed, "none of the seeds met these").toEqual([]);
  });
});

test("the same seed takes the same steps", async () => {
  const first = await runSeed({ seed: 4 });
  const second = await runSeed({ seed: 4 });
  expect([second.traceHash, second.steps]).toEqual([first.traceHash, first.steps]);
});

/** Kinds of faults, and paths of the code. */
const mustOccur = [
  "fault: block-one-way",
  "fault: block-pair",
  "fault: clock-jump",
  "fault: controlled-shutdown",
  "fault: disk-errors",
  "fault: disk-full",
  "fault: disk-slow",
  "fault: disk-stuck",
  "fault: disk-wiped",
  "fault: isolate-machine",
  "fault: kill-all-processes",
  "fault: kill-process",
  "fault: pause-controller",
  "fault: pause-process",
  "fault: power-cut-cell",
  "fault: power-cut-machine",
  "fault: reset-connections",
  "fault: store-hanging",
  "fault: store-throttling",
  "fault: store-unreachable",
  "act: only the store away",
  "broker: controller-elected",
  "broker: leader-elected",
  "broker: recovered",
  "broker: truncated",
  "log: log-tail-cut",
  "log: metadata-snapshot-written",
  "store never answers",
  "store unknown, applied",
  "store unknown, lost",
];
