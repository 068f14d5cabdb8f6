import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commitCount, committedOffset, isQuorum, majority } from "../../../../broker/replication/quorum.ts";

/** Held offsets by broker; who is not named holds nothing that counts. */
function held(offsets: Readonly<Record<number, number>>): (broker: number) => number {
  return (broker) => offsets[broker] ?? -1;
}

const single = { voters: [1, 2, 3], outgoing: [] };
const joint = { voters: [1, 2, 4], outgoing: [1, 2, 3] };

describe("majority", () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])("of %i is %i", (members, count) => {
    expect(majority(members)).toBe(count);
  });
});

describe("commitCount", () => {
  test.each([
    { voters: 3, minInsync: 1, count: 2, why: "a majority, however little is asked for" },
    { voters: 3, minInsync: 2, count: 2, why: "a majority" },
    { voters: 3, minInsync: 3, count: 3, why: "more than a majority when asked for" },
    { voters: 2, minInsync: 3, count: 2, why: "never more than there are" },
    { voters: 1, minInsync: 2, count: 1, why: "a single replica commits alone" },
  ])("$count of $voters with min.insync.replicas $minInsync: $why", ({ voters, minInsync, count }) => {
    expect(commitCount(voters, minInsync)).toBe(count);
  });
});

describe("committedOffset", () => {
  test.each([
    { offsets: {}, committed: -1, why: "nobody holds anything" },
    { offsets: { 1: 7 }, committed: -1, why: "the leader alone" },
    { offsets: { 1: 7, 2: 5 }, committed: 5, why: "two of three" },
    { offsets: { 2: 9, 3: 8 }, committed: 8, why: "two followers, the leader's own write still under way" },
    { offsets: { 1: 7, 2: 5, 3: 6 }, committed: 6, why: "the middle one of three" },
  ])("$committed: $why", ({ offsets, committed }) => {
    expect(committedOffset(single, held(offsets), 1)).toBe(committed);
  });

  test("min.insync.replicas of all three waits for the last one", () => {
    expect(committedOffset(single, held({ 1: 7, 2: 5, 3: 3 }), 3)).toBe(3);
  });

  test("a joint change needs a majority of both sets, and min.insync.replicas of the new one only", () => {
    expect(committedOffset(joint, held({ 1: 7, 4: 7 }), 1)).toBe(-1);
    expect(committedOffset(joint, held({ 1: 7, 3: 7 }), 1)).toBe(-1);
    expect(committedOffset(joint, held({ 1: 7, 4: 6, 3: 5 }), 1)).toBe(5);
    expect(committedOffset(joint, held({ 1: 7, 2: 7, 4: 4 }), 3)).toBe(4);
  });
});

const sets = fc
  .record({
    voters: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
    outgoing: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 5 }),
  })
  .map(({ voters, outgoing }) => ({ voters, outgoing }));
const offsets = fc.dictionary(
  fc.integer({ min: 1, max: 7 }).map(String),
  fc.integer({ min: -1, max: 9 }),
) as fc.Arbitrary<Record<number, number>>;

describe("over all small sets", () => {
  test("any two quorums share a member of each set: what one committed, the other sees", () => {
    fc.assert(
      fc.property(sets, fc.func(fc.boolean()), fc.func(fc.boolean()), (members, one, other) => {
        fc.pre(isQuorum(members, one) && isQuorum(members, other));
        expect(members.voters.some((broker) => one(broker) && other(broker))).toBe(true);
        if (members.outgoing.length > 0)
          expect(members.outgoing.some((broker) => one(broker) && other(broker))).toBe(true);
      }),
    );
  });

  test("an offset is committed exactly when a quorum, and min.insync voters, hold it", () => {
    fc.assert(
      fc.property(sets, offsets, fc.integer({ min: 1, max: 5 }), (members, by, minInsync) => {
        const committed = committedOffset(members, held(by), minInsync);
        for (let offset = 0; offset <= 9; offset++) {
          const holds = (broker: number) => held(by)(broker) >= offset;
          const insync = members.voters.filter(holds).length >= Math.min(minInsync, members.voters.length);
          expect(offset <= committed).toBe(isQuorum(members, holds) && insync);
        }
      }),
    );
  });

  test("whoever holds more never lowers what is committed", () => {
    fc.assert(
      fc.property(sets, offsets, fc.integer({ min: 1, max: 7 }), (members, by, broker) => {
        const more = { ...by, [broker]: 9 };
        expect(committedOffset(members, held(more), 1)).toBeGreaterThanOrEqual(committedOffset(members, held(by), 1));
      }),
    );
  });
});
