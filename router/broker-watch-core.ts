/**
 * Whether a broker is there, judged by looks at it. A process that was stopped keeps its sockets: its kernel still takes
 * connections, and nobody answers on them.
 *
 *            2 looks unanswered, or refused          3 unanswered and it leads nothing, or 25
 *   live ───────────────────────────────▶ doubted ─────────────────────────────────────────────▶ cut
 *    ▲                                        │                                                    │
 *    └──────────────── answered ──────────────┴────────────────────────────────────────────────────┘
 *
 * A doubted broker gets no new connections; whoever is cut loses those that it has, so that clients ask elsewhere at
 * once. The log is the judge of death: a broker that only this router cannot hear keeps its leaderships, and its
 * connections for ten seconds more.
 */
import { missesUntilCut, missesUntilCutAnyway, missesUntilDoubted } from "./limits.ts";

export type Look = "answered" | "silent" | "refused";

export type BrokerCondition = "live" | "doubted" | "cut";

export interface WatchedState {
  readonly misses: number;
  readonly condition: BrokerCondition;
}

export const unwatched: WatchedState = Object.freeze({ misses: 0, condition: "live" });

/** `leadsNothing` is asked only when it matters. */
export function afterLook(state: WatchedState, look: Look, leadsNothing: () => boolean): WatchedState {
  if (look === "answered") return unwatched;
  const misses = state.misses + 1;
  if (state.condition === "cut") return { misses, condition: "cut" };
  const gone = misses >= missesUntilCutAnyway || (misses >= missesUntilCut && leadsNothing());
  if (gone) return { misses, condition: "cut" };
  // Nobody listens there: the process is gone, and the kernel has closed what it had.
  const doubted = look === "refused" || misses >= missesUntilDoubted;
  return { misses, condition: doubted ? "doubted" : state.condition };
}
