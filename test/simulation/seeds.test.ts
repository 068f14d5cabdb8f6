/**
 * Whole cells of real brokers under faults, from fixed seeds: no acknowledged record lost or moved, replicas alike below the
 * high watermark, one leader an epoch, and the rest of `checkers/`. And the proof that the runs went where it matters: a kind
 * of fault, or a path of the code, that none of them met fails the test.
 */
import { expect, test } from "vitest";
import { neverOccurred } from "./required-coverage.ts";
import { runSeed } from "./run-seed.ts";
import { runShards } from "./shards.ts";

/** Seeds that every change passes; more of them with `npm run sim -- --seed N --seeds COUNT`. */
const seedsPerShard = 28;
const shards = [
  ["--seed", "1", "--seeds", String(seedsPerShard)],
  ["--seed", String(1 + seedsPerShard), "--seeds", String(seedsPerShard)],
];

test("the same seed takes the same steps", async () => {
  const first = await runSeed({ seed: 3, stepsMax: 40_000 });
  const second = await runSeed({ seed: 3, stepsMax: 40_000 });

  expect(first.steps).toBe(40_000);
  expect(second.traceHash).toBe(first.traceHash);
  expect(second.coverage.entries()).toEqual(first.coverage.entries());
});

/** Under two minutes on two cores that nobody else uses. */
const seedsTimeoutMs = 900_000;

test("56 seeds keep every promise, and meet every kind of fault and path", { timeout: seedsTimeoutMs }, async () => {
  const { failures, coverage } = await runShards(shards);

  expect(failures).toEqual([]);
  expect(neverOccurred(coverage), "change the seeds, or the odds in faults/, until these occur").toEqual([]);
});
