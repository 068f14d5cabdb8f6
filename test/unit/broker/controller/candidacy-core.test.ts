import { describe, expect, test } from "vitest";
import { type CandidacyView, isControllerMissing, shouldStand } from "../../../../broker/controller/candidacy-core.ts";
import {
  candidacyAloneMs,
  candidacyBackoffAmongOthersMsMax,
  candidacyStepMs,
  controllerFirstContactMs,
  controllerStoreLossMs,
} from "../../../../broker/controller/limits.ts";

/** Broker 2 of three, long started; the controller, broker 1, is gone. */
function view(change: Partial<CandidacyView> = {}): CandidacyView {
  return {
    self: 2,
    controller: 1,
    inOffice: false,
    controllerAlive: false,
    controllerHeardByOthers: false,
    controllerWithoutStoreMs: 0,
    storeReachable: true,
    alive: [2, 3],
    registered: 3,
    draining: false,
    sinceMs: 0,
    startedMs: 60_000,
    backoffMs: 0,
    ...change,
  };
}

describe("a controller is missing", () => {
  test.each([
    ["it is gone", {}, true],
    ["there never was one", { controller: undefined }, true],
    ["the log names this broker, which did not win the office in this run", { controller: 2 }, true],
    ["it is alive", { controllerAlive: true }, false],
    ["others hear it: the fault may be on this side", { controllerHeardByOthers: true }, false],
    ["this broker has just started", { startedMs: controllerFirstContactMs - 1 }, false],
    [
      "it cannot reach the store for a while",
      { controllerAlive: true, controllerWithoutStoreMs: controllerStoreLossMs },
      true,
    ],
    ["it cannot reach the store just now", { controllerAlive: true, controllerWithoutStoreMs: 1 }, false],
    ["this broker is in office", { inOffice: true, controller: 2 }, false],
  ])("%s", (_why, change, missing) => {
    expect(isControllerMissing(view(change))).toBe(missing);
  });
});

describe("a broker stands", () => {
  test("at once when it has the lowest id of the living, the next one a step later", () => {
    expect(shouldStand(view())).toBe(true);
    expect(shouldStand(view({ self: 3 }))).toBe(false);
    expect(shouldStand(view({ self: 3, sinceMs: candidacyStepMs }))).toBe(true);
  });

  test("without counting the controller that cannot reach the store", () => {
    const change = { controllerAlive: true, controllerWithoutStoreMs: controllerStoreLossMs, alive: [1, 2, 3] };
    expect(shouldStand(view(change))).toBe(true);
  });

  test("not when it is about to stop, or cannot reach the store itself", () => {
    expect(shouldStand(view({ draining: true }))).toBe(false);
    expect(shouldStand(view({ storeReachable: false }))).toBe(false);
  });

  test("later after it won and lost office before, but never much later while it hears others", () => {
    expect(shouldStand(view({ backoffMs: 400, sinceMs: 399 }))).toBe(false);
    expect(shouldStand(view({ backoffMs: 400, sinceMs: 400 }))).toBe(true);
    expect(shouldStand(view({ backoffMs: 16_000, sinceMs: candidacyBackoffAmongOthersMsMax }))).toBe(true);
  });

  test("long after everybody else when it hears nobody; a cell of one broker has nobody to wait for", () => {
    expect(shouldStand(view({ alive: [2], sinceMs: candidacyAloneMs - 1 }))).toBe(false);
    expect(shouldStand(view({ alive: [2], sinceMs: candidacyAloneMs }))).toBe(true);
    expect(shouldStand(view({ alive: [2], sinceMs: candidacyAloneMs, backoffMs: 16_000 }))).toBe(false);
    expect(shouldStand(view({ alive: [2], registered: 1 }))).toBe(true);
  });
});
