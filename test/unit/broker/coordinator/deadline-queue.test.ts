import fc from "fast-check";
import { expect, test } from "vitest";
import { DeadlineQueue } from "../../../../broker/coordinator/deadline-queue.ts";

function takeAll(queue: DeadlineQueue<number>, nowMs: number): number[] {
  const taken: number[] = [];
  for (let item = queue.takeDue(nowMs); item !== undefined; item = queue.takeDue(nowMs)) taken.push(item);
  return taken;
}

test("hands out what is due, earliest first, each item once at the earliest of its times", () => {
  const schedule = fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 100 }));
  fc.assert(
    fc.property(fc.array(schedule), fc.nat({ max: 100 }), (schedules, nowMs) => {
      const queue = new DeadlineQueue<number>();
      const earliest = new Map<number, number>();
      for (const [item, atMs] of schedules) {
        queue.schedule(item, atMs);
        earliest.set(item, Math.min(atMs, earliest.get(item) ?? atMs));
      }
      const due = [...earliest].filter(([, atMs]) => atMs <= nowMs);

      const taken = takeAll(queue, nowMs);

      expect(new Set(taken)).toEqual(new Set(due.map(([item]) => item)));
      expect(taken).toHaveLength(due.length);
      const times = taken.map((item) => earliest.get(item) as number);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const later = [...earliest.values()].filter((atMs) => atMs > nowMs);
      expect(queue.nextMs).toBeGreaterThan(nowMs);
      expect(queue.nextMs).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...later));
    }),
  );
});

test("a forgotten item is not handed out, and can come back", () => {
  const queue = new DeadlineQueue<string>();
  queue.schedule("a", 1);
  queue.forget("a");
  expect(queue.takeDue(10)).toBeUndefined();
  queue.schedule("a", 2);
  expect(queue.takeDue(10)).toBe("a");
});

test("items that are forgotten or scheduled anew take no memory until their deadline", () => {
  const queue = new DeadlineQueue<number>();
  for (let item = 0; item < 10; item += 1) queue.schedule(item, 1_000 + item);
  for (let item = 10; item < 10_000; item += 1) {
    queue.schedule(item, 1_800_000);
    queue.forget(item);
  }
  for (let atMs = 900; atMs > 100; atMs -= 1) queue.schedule(9, atMs);
  expect(queue.entryCount).toBeLessThan(100);
  expect(takeAll(queue, 1_800_000)).toEqual([9, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(queue.entryCount).toBe(0);
});

test("whatever is scheduled, forgotten and taken, each item is handed out once, in order", () => {
  const step = fc.record({ item: fc.nat({ max: 200 }), atMs: fc.nat({ max: 100 }), forget: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: "max" }), fc.nat({ max: 60 }), (steps, nowMs) => {
      const queue = new DeadlineQueue<number>();
      const due = new Map<number, number>();
      for (const [index, { item, atMs, forget }] of steps.entries()) {
        if (forget) {
          queue.forget(item);
          due.delete(item);
        } else {
          queue.schedule(item, atMs);
          due.set(item, Math.min(atMs, due.get(item) ?? atMs));
        }
        if (index !== Math.floor(steps.length / 2)) continue;
        for (const taken of takeAll(queue, nowMs)) expect(due.delete(taken)).toBe(true);
      }
      const times = takeAll(queue, 100).map((item) => {
        const atMs = due.get(item);
        due.delete(item);
        return atMs ?? Number.NaN;
      });
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(due.size).toBe(0);
    }),
  );
});

test("an item without a deadline is never woken", () => {
  const queue = new DeadlineQueue<string>();
  queue.schedule("a", Number.POSITIVE_INFINITY);
  expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
});
