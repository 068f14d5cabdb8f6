import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryBudget } from "../../../../broker/admission/memory-budget.ts";

const still = () => 0;
const budgetOf = (bytesMax: number, shareBytesMax = bytesMax, nowMs = still) =>
  new MemoryBudget({ bytesMax, shareBytesMax }, nowMs);

describe("one account", () => {
  test("gets at once what fits, and waits in order of arrival for the rest", () => {
    const account = budgetOf(100).open("a");
    const granted: string[] = [];
    expect(account.request(60, () => granted.push("never"))).toBeUndefined();
    account.request(80, () => granted.push("large"));
    account.request(10, () => granted.push("small"));
    expect(account.usedBytes).toBe(60);
    account.release(60);
    expect(granted).toEqual(["large", "small"]);
    expect(account.usedBytes).toBe(90);
  });

  test("a small wish does not overtake a large one", () => {
    const account = budgetOf(100).open("a");
    account.take(50);
    const granted: string[] = [];
    account.request(60, () => granted.push("large"));
    account.request(1, () => granted.push("small"));
    account.release(5);
    expect(granted).toEqual([]);
    account.release(5);
    expect(granted).toEqual(["large"]);
    account.release(1);
    expect(granted).toEqual(["large", "small"]);
  });

  test("what is held already may exceed the maximum; then everybody waits until it is down", () => {
    const account = budgetOf(100).open("a");
    account.take(130);
    let resumed = 0;
    account.request(0, () => {
      resumed += 1;
    });
    expect([account.exhausted, account.freeBytes]).toEqual([true, 0]);
    account.release(30);
    expect(resumed).toBe(0);
    account.release(1);
    expect(resumed).toBe(1);
    expect([account.exhausted, account.freeBytes]).toEqual([false, 1]);
  });

  test("a wish that was withdrawn is not granted, and lets the next one through", () => {
    const budget = budgetOf(100);
    const account = budget.open("a");
    account.take(50);
    const granted: string[] = [];
    const withdraw = account.request(90, () => granted.push("withdrawn"));
    account.request(40, () => granted.push("next"));
    withdraw?.();
    withdraw?.();
    expect(granted).toEqual(["next"]);
    expect(budget.longestWait()).toBeUndefined();
  });

  test("misuse is found at once", () => {
    const account = budgetOf(10).open("a");
    expect(() => account.release(1)).toThrow("more bytes released");
    expect(() => account.request(11, () => undefined)).toThrow("never be granted");
  });
});

describe("several accounts", () => {
  test("nobody takes more than a share, and who has used it up stands in nobody's way", () => {
    const budget = budgetOf(100, 50);
    const [greedy, modest] = [budget.open("greedy"), budget.open("modest")];
    greedy.take(50);
    const granted: string[] = [];
    greedy.request(10, () => granted.push("greedy"));
    expect(modest.request(30, () => granted.push("never"))).toBeUndefined();
    expect(budget.longestWait()).toMatchObject({ account: greedy, byOwnShare: true });
    modest.release(30);
    expect(granted).toEqual([]);
    greedy.release(10);
    expect(granted).toEqual(["greedy"]);
  });

  test("a single request may be larger than the share", () => {
    const account = budgetOf(100, 50).open("a");
    expect(account.request(90, () => undefined)).toBeUndefined();
  });

  test("take turns: a hundred wishes of one bring no more than one wish of another", () => {
    const budget = budgetOf(10);
    const [many, one, holder] = [budget.open("many"), budget.open("one"), budget.open("holder")];
    holder.take(10);
    const granted: string[] = [];
    for (let n = 0; n < 100; n += 1) many.request(10, () => granted.push("many"));
    one.request(10, () => granted.push("one"));
    holder.release(10);
    many.release(10);
    expect(granted).toEqual(["many", "one"]);
  });

  test("a large wish in turn is not passed by small ones", () => {
    const budget = budgetOf(100);
    const [a, b] = [budget.open("a"), budget.open("b")];
    a.take(60);
    const granted: string[] = [];
    b.request(50, () => granted.push("large"));
    const small = a.request(1, () => granted.push("small"));
    expect(small).toBeDefined();
    a.release(10);
    expect(granted).toEqual(["large"]);
  });

  test("the same owner has one account as long as anything is held for it", () => {
    const budget = budgetOf(100);
    const first = budget.open("a");
    expect(budget.open("a")).toBe(first);
    first.take(10);
    first.close();
    first.close();
    expect(budget.open("a")).toBe(first);
    first.close();
    first.release(10);
    expect(budget.open("a")).not.toBe(first);
  });

  test("the longest wait is known", () => {
    let nowMs = 0;
    const budget = budgetOf(10, 10, () => nowMs);
    const [a, b] = [budget.open("a"), budget.open("b")];
    a.take(10);
    b.request(1, () => undefined);
    nowMs = 30;
    a.request(1, () => undefined);
    nowMs = 70;
    expect(budget.longestWait()).toMatchObject({ account: b, waitedMs: 70, byOwnShare: false });
    a.release(10);
    expect(budget.longestWait()).toBeUndefined();
  });
});

describe("modest accounts", () => {
  const modestBudget = () =>
    new MemoryBudget({ bytesMax: 100, shareBytesMax: 50, modest: { bytes: 10, accountBytesMax: 4 } }, still);

  test("pass those who wait for room, while the others wait behind them", () => {
    const budget = modestBudget();
    const [one, two, small, other] = ["one", "two", "small", "other"].map((owner) => budget.open(owner));
    const granted: string[] = [];
    expect(one?.request(80, () => granted.push("never"))).toBeUndefined();
    two?.request(80, () => granted.push("two"));
    expect(small?.exhausted).toBe(false);
    expect(small?.request(0, () => granted.push("never"))).toBeUndefined();
    expect(small?.request(4, () => granted.push("never"))).toBeUndefined();
    expect(small?.exhausted).toBe(false);
    small?.request(1, () => granted.push("no longer modest"));
    other?.request(5, () => granted.push("other"));
    expect(granted).toEqual([]);
    small?.release(4);
    expect(granted).toEqual(["no longer modest"]);
    one?.release(80);
    expect(granted).toEqual(["no longer modest", "two", "other"]);
  });

  test("together take no more than their part, so that large wishes have their turn", () => {
    const budget = modestBudget();
    const large = budget.open("large");
    large.request(90, () => undefined);
    const small = [1, 2, 3, 4].map((owner) => budget.open(String(owner)));
    const granted: string[] = [];
    large.request(90, () => granted.push("large"));
    for (const account of small) account.request(4, () => granted.push("small"));
    expect([budget.usedBytes, granted]).toEqual([98, []]);
    large.release(90);
    expect([budget.usedBytes, granted]).toEqual([98, ["large"]]);
    small[0]?.release(4);
    expect([budget.usedBytes, granted]).toEqual([98, ["large", "small"]]);
  });

  test("nobody else may fill their part", () => {
    const budget = modestBudget();
    budget.open("one").request(50, () => undefined);
    expect(budget.open("two").request(41, () => undefined)).toBeDefined();
    expect(() => budget.open("three").request(91, () => undefined)).toThrow("never be granted");
  });
});

test("never promises more than it has, and in the end grants every wish", () => {
  const wish = fc.record({
    owner: fc.constantFrom("a", "b", "c"),
    bytes: fc.nat(100),
    releases: fc.nat(5),
    withdrawn: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 60 }), fc.constantFrom(0, 20), (wishes, modestBytes) => {
      const modest = { bytes: modestBytes, accountBytesMax: 6 };
      const budget = new MemoryBudget({ bytesMax: 100 + modestBytes, shareBytesMax: 40, modest }, still);
      const held: (() => void)[] = [];
      for (const { owner, bytes, releases, withdrawn } of wishes) {
        const account = budget.open(owner);
        const hold = () => {
          held.push(() => account.release(bytes));
          expect(budget.usedBytes).toBeLessThanOrEqual(100 + modestBytes);
        };
        const withdraw = account.request(bytes, hold);
        if (withdraw === undefined) hold();
        else if (withdrawn) withdraw();
        for (let n = 0; n < releases; n += 1) held.shift()?.();
      }
      while (held.length > 0) held.shift()?.();
      expect([budget.usedBytes, budget.longestWait()]).toEqual([0, undefined]);
    }),
  );
});
