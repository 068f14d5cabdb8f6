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

test("an item without a deadline is never woken", () => {
  const queue = new DeadlineQueue<string>();
  queue.schedule("a", Number.POSITIVE_INFINITY);
  expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
});
