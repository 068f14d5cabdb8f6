/** What measures have in common. */
import { cpuSeconds } from "../processes.ts";
import type { Cell } from "./cell.ts";

/** By name, which ends with the unit. */
export type Figures = Readonly<Record<string, number>>;

export interface Spent {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Wall time, and processor time of the cell's brokers, while `run` ran. */
export async function spentOn(cell: Cell, run: () => Promise<void>): Promise<Spent> {
  const pids = cell.pids();
  const cpuBefore = cpuSeconds(pids);
  const startMs = performance.now();
  await run();
  return { seconds: (performance.now() - startMs) / 1_000, cpuSeconds: cpuSeconds(pids) - cpuBefore };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that so large a share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

let serial = 0;

/** A name that no earlier run used: group ids are remembered. */
export function freshName(what: string): string {
  serial += 1;
  return `${what}-${Date.now().toString(36)}-${serial}`;
}
