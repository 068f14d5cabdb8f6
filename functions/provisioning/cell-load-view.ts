import type { ControlStore } from "../../shared/control/control-store.ts";
import { type CellLoadItem, cellLoadKind, cellLoads } from "../../shared/control/items/cell-load-item.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { loadViewMs } from "./limits.ts";

/** The newest load of each cell, read again when what is known is older than cells write it. */
export class CellLoadView {
  readonly #store: ControlStore;
  readonly #clock: Clock;
  #known: { readonly loads: ReadonlyMap<string, CellLoadItem>; readonly atMs: number } | undefined;

  constructor(store: ControlStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async read(): Promise<ReadonlyMap<string, CellLoadItem>> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#known !== undefined && nowMs - this.#known.atMs < loadViewMs) return this.#known.loads;
    const loads = new Map<string, CellLoadItem>();
    for await (const { value } of this.#store.all(cellLoadKind, cellLoads)) loads.set(value.cell, value);
    this.#known = { loads, atMs: nowMs };
    return loads;
  }
}
