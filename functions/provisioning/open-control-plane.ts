import { ControlStore } from "../../shared/control/control-store.ts";
import type { ItemStore } from "../../shared/item-store/item-store.ts";
import { Backoff } from "../../shared/metadata/log/backoff.ts";
import { ItemMetadataLog } from "../../shared/metadata/log/item-metadata-log.ts";
import { readSnapshotPointer } from "../../shared/metadata/log/snapshot-pointer.ts";
import { TailAppender } from "../../shared/metadata/log/tail-appender.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { CellLoadView } from "./cell-load-view.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Fleet } from "./fleet.ts";

export interface ControlPlaneParts {
  /** The control plane's table, and the one with the cells' metadata logs; both answer in bounded time. */
  readonly controlItems: ItemStore<string>;
  readonly logItems: ItemStore;
  readonly fleet: Fleet;
  readonly graceMs: number;
  /** Who appends, for people that read the log. */
  readonly writer: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export function openControlPlane(parts: ControlPlaneParts): ControlPlane {
  const { controlItems, logItems, fleet, graceMs, writer, clock, timers, random } = parts;
  const logs = new Map<string, TailAppender>();
  const backoff = new Backoff(timers, random);
  const openLog = (cell: string) =>
    new TailAppender({
      log: new ItemMetadataLog({ log: cell, store: logItems, timers, random }),
      writer,
      hint: async () => {
        const found = await readSnapshotPointer(logItems, cell, backoff);
        return found.kind === "pointer" ? found.pointer.seq : 0;
      },
      timers,
      random,
    });
  const store = new ControlStore(controlItems, { timers, random });
  return {
    store,
    cellLoads: new CellLoadView(store, clock),
    logOf(cell) {
      let log = logs.get(cell);
      if (log === undefined) {
        log = openLog(cell);
        logs.set(cell, log);
      }
      return log;
    },
    fleet,
    clock,
    random,
    graceMs,
  };
}
