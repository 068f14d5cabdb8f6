import { expect, test } from "vitest";
import type { Reconciled } from "../../../../functions/provisioning/reconcile.ts";
import { runReconciler } from "../../../../functions/reconcile/reconcile-run.ts";

function setUp(reconcile: () => Promise<Reconciled>) {
  const lines: string[] = [];
  const clock = { wallMs: () => 5_000, monotonicMs: () => 0 };
  const run = () => runReconciler({ fleet: "prod", reconcile, clock, write: (line) => void lines.push(line) });
  return { run, told: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("a run that settles everything tells of no failure", async () => {
  const { run, told } = setUp(async () => ({ settled: 2, failed: [], expired: 1 }));
  expect(await run()).toEqual({ settled: 2, expired: 1 });
  expect(told()).toEqual([expect.objectContaining({ Fleet: "prod", balafon_reconcile_failures_total: 0 })]);
});

test("objects that do not settle are counted, and fail the run", async () => {
  const failed = [1, 2].map((each) => ({ id: `lkc-${each}`, error: new Error("away") }));
  const { run, told } = setUp(async () => ({ settled: 0, failed, expired: 0 }));
  await expect(run()).rejects.toThrow("some objects do not settle");
  expect(told()).toEqual([expect.objectContaining({ balafon_reconcile_failures_total: 2 })]);
});

test("a run that fails as a whole is one failure", async () => {
  const { run, told } = setUp(async () => {
    throw new Error("the table is away");
  });
  await expect(run()).rejects.toThrow("the table is away");
  expect(told()).toEqual([expect.objectContaining({ balafon_reconcile_failures_total: 1 })]);
});
