import { describe, expect, test } from "vitest";
import { Controller } from "../../../../broker/controller/controller.ts";
import {
  controllerFirstContactMs,
  controllerStoreLossMs,
  controllerTickMs,
} from "../../../../broker/controller/limits.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { ManualTime } from "../handlers/manual-time.ts";

/** Broker 2 of three, out of office while broker 1 is controller; the test says who is there and who reaches the store. */
function start() {
  const time = new ManualTime();
  const here = { storeReachable: true, draining: false };
  const controllerLink = { peerStoreReachable: true, peerHears: new Set([1, 2, 3]) };
  const otherLink = { peerStoreReachable: true, peerHears: new Set([1, 2, 3]) };
  const gone = new Set<number>();
  const proposed: unknown[] = [];
  const image = {
    controller: { brokerId: 1, controllerEpoch: 7 },
    topics: new Map(),
    brokers: new Map([1, 2, 3].map((id) => [id, {}])),
  };
  const isAlive = (broker: number) => !gone.has(broker);
  const controller = new Controller({
    self: 2,
    clock: time,
    timers: time,
    logger: silentLogger,
    links: {
      alive: () => [1, 2, 3].filter(isAlive),
      isAlive,
      isDraining: (broker: number) => broker === 2 && here.draining,
      link: (broker: number) => (isAlive(broker) ? (broker === 1 ? controllerLink : otherLink) : undefined),
    },
    metadata: {
      image,
      get storeReachable() {
        return here.storeReachable;
      },
      propose: (decide: (from: typeof image) => { readonly records: readonly unknown[] }) => {
        proposed.push(...decide(image).records);
        return Promise.resolve({ kind: "failed", reason: "lost the race" });
      },
    },
    onEvent: () => undefined,
  } as never);
  controller.start();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += controllerTickMs) await time.advance(controllerTickMs);
  };
  return { here, controllerLink, otherLink, gone, proposed, pass };
}

const elected = { type: "controller-elected", brokerId: 2, controllerEpoch: 8 };

describe("out of office", () => {
  test("a controller that nobody hears is replaced", async () => {
    const { gone, otherLink, proposed, pass } = start();
    await pass(controllerFirstContactMs);
    expect(proposed).toEqual([]);
    gone.add(1);
    otherLink.peerHears.delete(1);
    await pass(controllerTickMs);
    expect(proposed).toEqual([elected]);
  });

  test("a broker that is about to stop does not stand", async () => {
    const { here, gone, otherLink, proposed, pass } = start();
    here.draining = true;
    gone.add(1);
    otherLink.peerHears.delete(1);
    await pass(controllerFirstContactMs + 10 * controllerTickMs);
    expect(proposed).toEqual([]);
  });

  test("a controller that alone cannot reach the store is replaced after a while", async () => {
    const { controllerLink, proposed, pass } = start();
    controllerLink.peerStoreReachable = false;
    await pass(controllerStoreLossMs);
    expect(proposed).toEqual([]);
    await pass(controllerTickMs);
    expect(proposed).toEqual([elected]);
  });

  test("a store that was away for everybody is no reason: who hears of it first waits for the controller to", async () => {
    const { here, controllerLink, proposed, pass } = start();
    here.storeReachable = false;
    controllerLink.peerStoreReachable = false;
    await pass(4 * controllerStoreLossMs);
    here.storeReachable = true;
    await pass(controllerStoreLossMs / 2);
    controllerLink.peerStoreReachable = true;
    await pass(controllerStoreLossMs);
    expect(proposed).toEqual([]);
  });
});
