import { expect, test } from "vitest";
import { unknownKeyLookupIntervalMs, unknownKeyLookupMsMax } from "../../../../broker/connection/limits.ts";
import { UnknownKeyLookup } from "../../../../broker/connection/unknown-key-lookup.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";

function setUp(refresh: () => Promise<unknown> = () => Promise.resolve()) {
  const time = new VirtualTime(true);
  const begunMs: number[] = [];
  const counted = () => {
    begunMs.push(time.monotonicMs());
    return refresh();
  };
  return { time, begunMs, lookup: new UnknownKeyLookup(counted, time, time) };
}

test("every look begins after it was asked for, and those who ask together share one", async () => {
  const { time, begunMs, lookup } = setUp();
  await time.until(Promise.all([lookup.look(), lookup.look(), lookup.look()]));
  expect(begunMs).toEqual([0]);
  for (let round = 1; round <= 3; round++) {
    await time.pass(unknownKeyLookupIntervalMs * 5);
    const askedMs = time.monotonicMs();
    await time.until(lookup.look());
    expect(begunMs).toHaveLength(1 + round);
    expect(begunMs.at(-1)).toBeGreaterThanOrEqual(askedMs);
  }
});

test("strangers with made-up keys cost one look an interval", async () => {
  const { time, begunMs, lookup } = setUp();
  for (let number = 0; number < 100; number++) {
    void lookup.look();
    await time.pass(10);
  }
  expect(begunMs.length).toBeLessThanOrEqual(1_000 / unknownKeyLookupIntervalMs + 1);
});

test("a store that is away keeps nobody waiting for long", async () => {
  const { time, lookup } = setUp(() => new Promise(() => undefined));
  await time.until(lookup.look());
  expect(time.monotonicMs()).toBeLessThanOrEqual(unknownKeyLookupMsMax);
  const failing = setUp(() => Promise.reject(new Error("away")));
  await failing.time.until(failing.lookup.look());
});
