import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressKey } from "../../../router/address-key.ts";
import { ConnectionLimits } from "../../../router/connection-limits-core.ts";
import { type RouterLimits, rateTableMax } from "../../../router/limits.ts";

const roomy: RouterLimits = {
  connectionsMax: 1_000,
  strangersMax: 1_000,
  connectionsPerAddressMax: 1_000,
  newPerSecondPerAddressMax: 1_000,
  connectionsPerClusterMax: 1_000,
  newPerSecondPerClusterMax: 1_000,
};

function limits(changes: Partial<RouterLimits>): ConnectionLimits {
  return new ConnectionLimits({ ...roomy, ...changes });
}

describe("open connections", () => {
  test("are bounded altogether, and among them those without a name", () => {
    const counted = limits({ connectionsMax: 3, strangersMax: 2 });
    expect([counted.accept(), counted.accept(), counted.accept()]).toEqual([undefined, undefined, "strangers-full"]);
    expect(counted.name("lkc-a", 0)).toBeUndefined();
    expect([counted.accept(), counted.accept()]).toEqual([undefined, "router-full"]);
  });

  test("are bounded by address and by cluster, and one that ends makes room", () => {
    const counted = limits({ connectionsPerAddressMax: 1, connectionsPerClusterMax: 1 });
    for (let at = 0; at < 4; at++) counted.accept();
    expect([counted.identify("a", 0), counted.identify("a", 0), counted.identify("b", 0)]).toEqual([
      undefined,
      "address-full",
      undefined,
    ]);
    expect([counted.name("lkc-a", 0), counted.name("lkc-a", 0), counted.name("lkc-b", 0)]).toEqual([
      undefined,
      "cluster-full",
      undefined,
    ]);
    counted.release({ address: "a", lkc: "lkc-a" }, 0);
    expect([counted.identify("a", 0), counted.name("lkc-a", 0)]).toEqual([undefined, undefined]);
  });
});

describe("new connections", () => {
  test("may come twice as many at once as in a second, and then at the rate", () => {
    const counted = limits({ newPerSecondPerAddressMax: 5, connectionsPerAddressMax: 1_000 });
    const come = (nowMs: number, count: number) =>
      Array.from({ length: count }, () => counted.identify("a", nowMs)).filter((refused) => refused === undefined)
        .length;
    expect(come(0, 100)).toBe(10);
    expect(come(1_000, 100)).toBe(5);
    expect(come(1_100, 100)).toBe(0);
    expect(come(1_200, 100)).toBe(1);
    expect(come(60_000, 100)).toBe(10);
    expect(counted.identify("b", 1_100)).toBeUndefined();
  });

  test("one that is refused for its number uses up no allowance", () => {
    const counted = limits({ connectionsPerClusterMax: 1, newPerSecondPerClusterMax: 1 });
    expect(counted.name("lkc-a", 0)).toBeUndefined();
    for (let at = 0; at < 10; at++) expect(counted.name("lkc-a", 0)).toBe("cluster-full");
  });
});

test("whatever comes and goes, the counts are those of what is open, and nothing is remembered of what is long gone", () => {
  const act = fc.record({
    kind: fc.constantFrom("open", "close"),
    address: fc.constantFrom("a", "b", "c"),
    lkc: fc.constantFrom("lkc-a", "lkc-b", undefined),
    afterMs: fc.nat(500),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
      const counted = limits({
        connectionsPerAddressMax: 5,
        connectionsPerClusterMax: 4,
        newPerSecondPerAddressMax: 3,
      });
      const open: { address: string | undefined; lkc: string | undefined }[] = [];
      let nowMs = 0;
      for (const { kind, address, lkc, afterMs } of acts) {
        nowMs += afterMs;
        const gone = kind === "close" ? open.pop() : undefined;
        if (gone !== undefined) counted.release(gone, nowMs);
        if (kind === "close" || counted.accept() !== undefined) continue;
        const known = counted.identify(address, nowMs) === undefined;
        const named = known && lkc !== undefined && counted.name(lkc, nowMs) === undefined;
        open.push({ address: known ? address : undefined, lkc: named ? lkc : undefined });
      }
      expect(counted.open).toBe(open.length);
      expect(counted.strangers).toBe(open.filter(({ lkc }) => lkc === undefined).length);
      for (const each of open) counted.release(each, nowMs + 3_600_000);
      expect(counted.open + counted.strangers).toBe(0);
    }),
  );
});

test("strangers of any number of addresses cannot make the table grow", () => {
  const counted = limits({ newPerSecondPerAddressMax: 1, connectionsMax: 10, strangersMax: 10 });
  for (let at = 0; at < rateTableMax + 1_000; at++) {
    counted.accept();
    if (counted.identify(`address ${at}`, 0) === undefined)
      counted.release({ address: `address ${at}`, lkc: undefined }, 0);
  }
  expect(counted.remembered).toBeLessThanOrEqual(rateTableMax);
});

test("an IPv6 client counts by its network, an IPv4 one by its address however it is written", () => {
  expect(addressKey("2001:db8:1:2::3")).toBe(addressKey("2001:db8:1:2:ffff::1"));
  expect(addressKey("2001:db8:1:2::3")).not.toBe(addressKey("2001:db8:1:3::3"));
  expect(addressKey("::ffff:192.0.2.1")).toBe(addressKey("192.0.2.1"));
});
