import { expect, test } from "vitest";
import { logLookIntervalMs, logLookMsMax } from "../../../../broker/controller/limits.ts";
import { LogLook } from "../../../../broker/controller/log-look.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";

function setUp(refresh: () => Promise<unknown> = () => Promise.resolve()) {
  const time = new VirtualTime(true);
  const begunMs: number[] = [];
  const counted = () => {
    begunMs.push(time.monotonicMs());
    return refresh();
  };
  return { time, begunMs, look: new LogLook(counted, time, time) };
}

test("every look begins after it was asked for, and those who ask together share one", async () => {
  const { time, begunMs, look } = setUp();
  await time.until(Promise.all([look.look(), look.look(), look.look()]));
  expect(begunMs).toEqual([0]);
  for (let round = 1; round <= 3; round++) {
    await time.pass(logLookIntervalMs * 5);
    const askedMs = time.monotonicMs();
    await time.until(look.look());
    expect(begunMs).toHaveLength(1 + round);
    expect(begunMs.at(-1)).toBeGreaterThanOrEqual(askedMs);
  }
});

test("strangers with made-up keys cost one look an interval", async () => {
  const { time, begunMs, look } = setUp();
  for (let number = 0; number < 100; number++) {
    void look.look();
    await time.pass(10);
  }
  expect(begunMs.length).toBeLessThanOrEqual(1_000 / logLookIntervalMs + 1);
});

test("a store that is away keeps nobody waiting for long", async () => {
  const { time, look } = setUp(() => new Promise(() => undefined));
  await time.until(look.look());
  expect(time.monotonicMs()).toBeLessThanOrEqual(logLookMsMax);
  const failing = setUp(() => Promise.reject(new Error("away")));
  await failing.time.until(failing.look.look());
});
