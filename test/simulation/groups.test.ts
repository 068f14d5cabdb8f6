/** The checkers of consumer groups find what they are there to find, and let pass what is right. */
import { describe, expect, test } from "vitest";
import { GroupGenerations, type SyncedGeneration } from "./checkers/group-generations.ts";
import { type GroupView, judgeGroups } from "./checkers/group-progress.ts";
import { OffsetLifetimes } from "./checkers/offset-lifetimes.ts";
import { OffsetRegisters } from "./checkers/offset-registers.ts";

const key = "t/g/topic/0";
const leaseMs = 10;

/** `retentionMs`: after which offsets may be gone. */
function registers(retentionMs = Number.POSITIVE_INFINITY) {
  const violations: string[] = [];
  const time = { nowMs: 0 };
  const checker = new OffsetRegisters({
    nowMs: () => time.nowMs,
    violate: (message) => violations.push(message),
    leaseMs,
    dueMs: (_key, committedMs) => committedMs + retentionMs,
  });
  const at = (nowMs: number): OffsetRegisters => {
    time.nowMs = nowMs;
    return checker;
  };
  /** A commit from `startMs` to `endMs`. */
  const commit = (id: string, startMs: number, endMs: number): void => {
    const op = at(startMs).sent(key, id);
    at(endMs).acknowledged(op, endMs);
  };
  /** A read that takes 1 ms. */
  const read = (id: string | undefined, startMs: number): void =>
    at(startMs + 1).read({ key, id, startMs, servedMs: startMs + 1, by: "r" });
  return { violations, checker, at, commit, read };
}

describe("committed offsets", () => {
  test("reads of the newest commit, of one under way, and within the lease are right", () => {
    const { violations, at, commit, read } = registers();
    read(undefined, 0);
    commit("a", 10, 20);
    read("a", 30);
    const unknown = at(40).sent(key, "b");
    read("a", 50);
    read("b", 60);
    commit("c", 70, 80);
    read("b", 85);
    read("c", 100);

    expect(unknown.id).toBe("b");
    expect(violations).toEqual([]);
  });

  test("an older offset after a newer one was acknowledged is found", () => {
    const { violations, commit, read } = registers();
    commit("a", 10, 20);
    commit("b", 30, 40);
    read("a", 60);

    expect(violations.join()).toMatch(/a .*was read by r, but between came b/);
  });

  test("an offset that was seen and then not any more is found, though its commit was never answered", () => {
    const { violations, at, commit, read } = registers();
    commit("a", 10, 20);
    at(30).sent(key, "b");
    read("b", 40);
    read("a", 60);

    expect(violations).toHaveLength(1);
  });

  test("a commit that was refused, and one that nobody made, are found", () => {
    const { violations, at, read } = registers();
    const op = at(10).sent(key, "a");
    at(20).refused(op);
    read("a", 30);
    read("b", 40);

    expect(violations).toHaveLength(2);
  });

  test("an offset that is gone without a deletion is found, with one it is not", () => {
    const { violations, at, commit, read } = registers();
    commit("a", 10, 20);
    read(undefined, 40);
    expect(violations.join()).toMatch(/nothing committed/);

    at(60).sent(key, undefined);
    read(undefined, 70);
    read("a", 90);
    expect(violations).toHaveLength(2);
  });

  test("an offset that is gone before its time is found, later it may be; it does not come back", () => {
    const { violations, commit, read } = registers(100);
    commit("a", 10, 20);
    read(undefined, 90);
    expect(violations.join()).toMatch(/nothing committed/);

    read(undefined, 120);
    commit("b", 130, 140);
    read("b", 160);
    expect(violations).toHaveLength(1);

    read("a", 180);
    expect(violations).toHaveLength(2);
  });

  test("an old offset that is still there is told, unless it was committed anew", () => {
    const { checker, commit, read } = registers(100);
    const still = (committedMs: number) => [...checker.stillCommitted(150, () => committedMs)];
    commit("a", 10, 20);
    read("a", 100);
    expect(still(50)).toEqual([]);

    read("a", 200);
    expect(still(50)).toEqual([key]);
    expect(still(5)).toEqual([]);
  });

  test("what a power cut may have taken may be missing, and what it left counts from then on", () => {
    const { violations, at, commit, read } = registers();
    commit("a", 10, 20);
    commit("b", 30, 40);
    at(50).permitLoss(() => true);
    read("a", 60);
    expect(violations).toEqual([]);

    commit("c", 70, 80);
    read("a", 100);
    expect(violations).toHaveLength(1);
  });
});

describe("offsets may be gone by themselves", () => {
  function lifetimes(skewMs = 0) {
    const time = { nowMs: 0 };
    const checker = new OffsetLifetimes({ nowMs: () => time.nowMs, retentionMs: 100, skewMs: () => skewMs });
    const at = (nowMs: number): OffsetLifetimes => {
      time.nowMs = nowMs;
      return checker;
    };
    return { at };
  }

  test("of a group that never had a member: a retention after the commit, by clocks that differ", () => {
    expect(lifetimes().at(50).dueMs(key, 10)).toBe(110);
    expect(lifetimes(30).at(50).dueMs(key, 10)).toBe(80);
    expect(lifetimes(Number.POSITIVE_INFINITY).at(50).dueMs(key, 10)).toBe(10);
  });

  test("of a group with members: not while one is heard of; a retention after all may have been taken out", () => {
    const { at } = lifetimes();
    at(0).hasMembers("t/g", { evictionMs: 20 });
    for (let nowMs = 10; nowMs <= 400; nowMs += 10) expect(at(nowMs).alive("t/g", nowMs)).toBe(false);
    expect(at(519).dueMs(key, 10)).toBe(Number.POSITIVE_INFINITY);
    expect(at(520).dueMs(key, 10)).toBe(520);
    expect(at(520).dueMs(key, 430)).toBe(Number.POSITIVE_INFINITY);

    at(600).alive("t/g", 600);
    expect(at(610).dueMs(key, 10)).toBe(520);
    expect(at(610).dueMs(key, 550)).toBe(Number.POSITIVE_INFINITY);
  });

  test("a group may be gone after a silence: without offsets at once, with some a retention later", () => {
    const { at } = lifetimes();
    at(0).hasMembers("t/g", { evictionMs: 20 });
    expect(at(10).alive("t/g", 10)).toBe(false);
    expect(at(29).alive("t/g", 29)).toBe(false);
    expect(at(60).alive("t/g", 60)).toBe(true);
    at(60).committed("t/g");
    expect(at(179).alive("t/g", 179)).toBe(false);
    expect(at(299).alive("t/g", 299)).toBe(true);
  });

  test("of a group whose last member leaves: from then on", () => {
    const { at } = lifetimes();
    at(0).hasMembers("t/g", { evictionMs: 20 });
    at(10).alive("t/g", 10);
    at(12).leaves("t/g");
    expect(at(110).dueMs(key, 5)).toBe(110);
  });

  test("of a topic that members give up: a retention after the commit; it must be, when all did", () => {
    const { at } = lifetimes();
    at(0).hasMembers("t/g", { evictionMs: 1_000 });
    at(10).alive("t/g", 10);
    at(50).givesUp("t/g", "topic");
    expect(at(60).dueMs(key, 10)).toBe(110);
    expect(at(200).dueMs("t/g/other/0", 10)).toBe(Number.POSITIVE_INFINITY);
    expect(at(200).goneBeforeMs(key, () => true, 5)).toBe(95);
    expect(at(200).goneBeforeMs(key, () => false, 5)).toBe(Number.NEGATIVE_INFINITY);
    expect(at(200).goneBeforeMs("t/by-hand/topic/0", () => false, 5)).toBe(95);
  });
});

describe("generations", () => {
  const synced = (memberId: string, generation: number, more: Partial<SyncedGeneration> = {}): SyncedGeneration => ({
    memberId,
    instanceId: null,
    generation,
    leaderId: "m-a",
    protocol: "range",
    nonce: `n${generation}`,
    partitions: [memberId],
    sentMs: generation * 100,
    servedMs: generation * 100 + 1,
    ...more,
  });

  function generations() {
    const violations: string[] = [];
    const time = { nowMs: 0 };
    const checker = new GroupGenerations({
      nowMs: () => time.nowMs,
      violate: (message) => violations.push(message),
      count: () => undefined,
      ownerOf: (memberId) => memberId,
    });
    const tell = (told: SyncedGeneration): void => {
      time.nowMs = told.servedMs;
      checker.synced("t/g", told);
    };
    return { violations, checker, tell };
  }

  test("one assignment a generation, told to all, passes; also to a static member under a new id", () => {
    const { violations, checker, tell } = generations();
    tell(synced("m-a", 1));
    tell(synced("m-b", 1, { instanceId: "i", partitions: ["p"] }));
    tell(synced("m-c", 1, { instanceId: "i", partitions: ["p"] }));
    tell(synced("m-a", 2));
    checker.committed("t/g", { generation: 1, sentMs: 150, servedMs: 250 });

    expect(violations).toEqual([]);
  });

  test.each([
    ["a partition of two members", synced("m-b", 1, { partitions: ["m-a"] }), /belong to m-a and to m-b/],
    ["a second assignment", synced("m-b", 1, { nonce: "other" }), /was assigned as n1 and m-b got other/],
    ["a second leader", synced("m-b", 1, { leaderId: "m-b" }), /m-a leads .* knows m-b/],
    ["another assignment of the same member", synced("m-a", 1, { partitions: ["q"] }), /was told m-a and q/],
  ])("%s in one generation is found", (_what, told, message) => {
    const { violations, tell } = generations();
    tell(synced("m-a", 1));
    tell(told);

    expect(violations.join()).toMatch(message);
  });

  test("a generation that comes back is found, unless the group was deleted", () => {
    const { violations, checker, tell } = generations();
    tell(synced("m-a", 2));
    tell(synced("m-b", 1, { sentMs: 300, servedMs: 301 }));
    checker.joined("t/g", "m-", { ...synced("m-a", 1), members: [] });
    expect(violations).toHaveLength(2);

    checker.deleted("t/g");
    tell(synced("m-c", 1, { sentMs: 500, servedMs: 501 }));
    expect(violations).toHaveLength(2);
  });

  test("a commit of an old generation, and a member of another tenant, are found", () => {
    const { violations, checker, tell } = generations();
    tell(synced("m-a", 2));
    checker.committed("t/g", { generation: 1, sentMs: 300, servedMs: 301 });
    checker.joined("t/g", "other-", { ...synced("m-b", 3), members: [] });

    expect(violations.join()).toMatch(/under generation 1 .* after 2 began.*m-b is no member/);
  });
});

test("a group that is not stable, or commits nothing, some time after everything healed is found", () => {
  const violations: string[] = [];
  const stable: GroupView = { name: "t/g", stable: 3, aliveMs: 120, committedMs: 130, what: "m" };
  const violate = (message: string): number => violations.push(message);
  judgeGroups([stable], 100, violate);
  expect(violations).toEqual([]);

  judgeGroups(
    [
      { ...stable, stable: undefined },
      { ...stable, aliveMs: 90 },
      { ...stable, committedMs: 90 },
    ],
    100,
    violate,
  );
  expect(violations).toHaveLength(3);
});
