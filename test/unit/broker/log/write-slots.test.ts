import { expect, test } from "vitest";
import { WriteSlots } from "../../../../broker/log/write-slots.ts";
import { ManualClock } from "./log-fixture.ts";

function setUp(slots: number) {
  const clock = new ManualClock();
  const begun: string[] = [];
  const writes = new WriteSlots(clock, { slots, unwrittenBytesMax: 100 });
  const begins = new Map<string, () => void>();
  const take = (name: string) => {
    const begin = () => void begun.push(name);
    begins.set(name, begin);
    writes.take(begin);
  };
  return {
    clock,
    writes,
    begun,
    take,
    withdraw: (name: string) => writes.withdraw(begins.get(name) ?? (() => undefined)),
  };
}

test("no more than the slots begin, the others in the order in which they came", () => {
  const { writes, begun, take } = setUp(2);
  for (const name of ["a", "b", "c", "d"]) take(name);
  expect(begun).toEqual(["a", "b"]);
  writes.giveBack();
  take("e");
  expect(begun).toEqual(["a", "b", "c"]);
  for (let ended = 0; ended < 4; ended++) writes.giveBack();
  expect(begun).toEqual(["a", "b", "c", "d", "e"]);
  for (const name of ["f", "g", "h"]) take(name);
  expect(begun).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});

test("who withdraws begins no more, and holds up nobody", () => {
  const { writes, begun, take, withdraw } = setUp(1);
  for (const name of ["a", "b", "c"]) take(name);
  expect([withdraw("b"), withdraw("a")]).toEqual([true, false]);
  writes.giveBack();
  expect(begun).toEqual(["a", "c"]);
});

test("the disk lags from when too much waits for it until half of that is written, over all logs", () => {
  const { clock, writes } = setUp(1);
  let settled = 0;
  writes.countUnwritten(60);
  writes.countUnwritten(40);
  expect(writes.lag).toBeUndefined();
  writes.countUnwritten(1);
  expect(writes.lag?.sinceMs).toBe(clock.monotonicMs());
  writes.lag?.whenSettled(() => settled++);
  clock.nowMs += 700;
  writes.countUnwritten(1);
  expect(writes.standsStillSinceMs).toBe(clock.nowMs - 700);
  writes.take(() => undefined);
  writes.giveBack();
  expect(writes.standsStillSinceMs).toBe(clock.nowMs);
  writes.countUnwritten(-51);
  expect([writes.lag === undefined, settled]).toEqual([false, 0]);
  writes.countUnwritten(-1);
  expect([writes.lag === undefined, writes.standsStillSinceMs, settled]).toEqual([true, undefined, 1]);
});
