import type { ControlStore } from "../../shared/control/control-store.ts";
import type { TailAppender } from "../../shared/metadata/log/tail-appender.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { CellLoadView } from "./cell-load-view.ts";
import type { Fleet } from "./fleet.ts";

/** What the handlers and the reconciler work with: the same in a Lambda, on one machine, and in tests. */
export interface ControlPlane {
  readonly store: ControlStore;
  /** The metadata log of a cell. */
  logOf(cell: string): TailAppender;
  readonly fleet: Fleet;
  readonly cellLoads: CellLoadView;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a deleted logical cluster can be restored. */
  readonly graceMs: number;
}
