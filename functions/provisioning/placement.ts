/** Where a new logical cluster is placed: two random cells, the one with the lower load wins (DESIGN section 7). Pure. */
import type { CellLoadItem } from "../../shared/control/items/cell-load-item.ts";
import { loadFreshMs } from "../../shared/control/limits.ts";
import type { FleetCell } from "./fleet.ts";

/** From this load on a cell takes nothing new: what is in it needs room to grow. */
export const fullLoad = 0.8;

export type Placement =
  | { readonly kind: "placed"; readonly cell: string }
  /** Every cell is full or draining. */
  | { readonly kind: "no-room" };

export interface PlacementView {
  readonly cells: readonly FleetCell[];
  /** The newest of each cell; none for a cell that never wrote one. */
  readonly loads: ReadonlyMap<string, CellLoadItem>;
  readonly nowMs: number;
}

/** load = max(mean broker load, replica-count utilization, bandwidth utilization) */
export function loadOf(item: CellLoadItem): number {
  return Math.max(item.meanBrokerLoad, item.replicaUtilization, item.bandwidthUtilization);
}

/**
 * `fraction` gives numbers in [0, 1). Both picks are over all cells, so they may be the same one: loads are some seconds
 * old, and of two cells the emptier one must not get everything that is made meanwhile.
 */
export function place(view: PlacementView, fraction: () => number): Placement {
  const open = view.cells.filter(({ cell, state }) => state === "open" && !isFull(view.loads.get(cell)));
  // A cell that has not written for a while may be away: only when there is no other.
  const fresh = open.filter(({ cell }) => isFresh(view.loads.get(cell), view.nowMs));
  const eligible = (fresh.length > 0 ? fresh : open).map(({ cell }) => cell);
  const pick = () => eligible[Math.floor(fraction() * eligible.length)];
  const [first, second] = [pick(), pick()];
  if (first === undefined || second === undefined) return { kind: "no-room" };
  return { kind: "placed", cell: known(view, second) < known(view, first) ? second : first };
}

function isFull(load: CellLoadItem | undefined): boolean {
  return load !== undefined && loadOf(load) >= fullLoad;
}

function isFresh(load: CellLoadItem | undefined, nowMs: number): boolean {
  return load !== undefined && nowMs - load.atMs < loadFreshMs;
}

function known({ loads }: PlacementView, cell: string): number {
  const load = loads.get(cell);
  return load === undefined ? 0 : loadOf(load);
}
