/** When a broker stands for controller: a pure decision. Safety never depends on it, the log settles every race. */
import type { BrokerId } from "../../shared/metadata/records/record.ts";
import {
  candidacyAloneMs,
  candidacyBackoffAmongOthersMsMax,
  candidacyStepMs,
  controllerFirstContactMs,
  controllerStoreLossMs,
} from "./limits.ts";

export interface CandidacyView {
  readonly self: BrokerId;
  /** Named by the newest ControllerElected, if there is one. */
  readonly controller: BrokerId | undefined;
  /** This process appended that entry itself and has not stood down. */
  readonly inOffice: boolean;
  readonly controllerAlive: boolean;
  /** Does any broker that is heard here hear the controller? Then the fault may be on this side. */
  readonly controllerHeardByOthers: boolean;
  /** How long the controller has told that it cannot reach the store, while this broker could; else 0. */
  readonly controllerWithoutStoreMs: number;
  readonly storeReachable: boolean;
  /** Brokers alive as seen here, this one included, ascending. */
  readonly alive: readonly BrokerId[];
  /** Brokers in the log, dead or alive. */
  readonly registered: number;
  /** This broker is about to stop. */
  readonly draining: boolean;
  /** How long the reason to stand has held. */
  readonly sinceMs: number;
  /** Since this broker's links were started: a controller that was never heard may only not have been reached yet. */
  readonly startedMs: number;
  /** Extra wait after having won and lost office before. */
  readonly backoffMs: number;
}

/** Is there a reason for a new controller at all (whoever it will be)? */
export function isControllerMissing(view: CandidacyView): boolean {
  if (view.inOffice) return false;
  if (view.controller === undefined || view.controller === view.self) return true;
  if (!view.controllerAlive) return !view.controllerHeardByOthers && view.startedMs >= controllerFirstContactMs;
  return view.controllerWithoutStoreMs >= controllerStoreLossMs;
}

/** Stand now? The lowest id goes first, the others follow a step later each, if nobody won meanwhile. */
export function shouldStand(view: CandidacyView): boolean {
  if (view.draining || !view.storeReachable || !isControllerMissing(view)) return false;
  const place = view.alive.filter((broker) => broker !== view.controller || broker === view.self).indexOf(view.self);
  return view.sinceMs >= Math.max(0, place) * candidacyStepMs + patienceMs(view);
}

function patienceMs(view: CandidacyView): number {
  const isAlone = view.alive.length === 1 && view.registered > 1;
  return isAlone
    ? Math.max(candidacyAloneMs, view.backoffMs)
    : Math.min(candidacyBackoffAmongOthersMsMax, view.backoffMs);
}
