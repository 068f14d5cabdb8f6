import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commonEnd, EpochHistory } from "../../../../broker/log/epoch-history.ts";

const of = (...entries: [epoch: number, startOffset: number][]) =>
  EpochHistory.of(entries.map(([epoch, startOffset]) => ({ epoch, startOffset })));
const pairs = (history: EpochHistory) => history.entries.map((entry) => [entry.epoch, entry.startOffset]);

describe("EpochHistory", () => {
  test.each<[string, [number, number][]]>([
    [
      "an epoch twice",
      [
        [1, 0],
        [1, 5],
      ],
    ],
    [
      "an epoch that falls",
      [
        [2, 0],
        [1, 5],
      ],
    ],
    [
      "an offset twice",
      [
        [1, 5],
        [2, 5],
      ],
    ],
    ["a negative epoch", [[-1, 5]]],
  ])("of refuses %s", (_, entries) => {
    expect(() => of(...entries)).toThrow(RangeError);
  });

  test("append notes a new epoch once, refuses an older one", () => {
    const history = of([1, 0]).append(1, 7).append(4, 9);
    expect(pairs(history)).toEqual([
      [1, 0],
      [4, 9],
    ]);
    expect(history.lastEpoch).toBe(4);
    expect(() => history.append(3, 10)).toThrow(RangeError);
    expect(EpochHistory.empty.lastEpoch).toBe(-1);
  });

  test("append drops an epoch that has no record any more", () => {
    expect(pairs(of([1, 0]).raiseStart(9).append(2, 9))).toEqual([[2, 9]]);
  });

  test.each([
    [0, []],
    [1, [[1, 0]]],
    [10, [[1, 0]]],
    [
      11,
      [
        [1, 0],
        [3, 10],
      ],
    ],
    [
      99,
      [
        [1, 0],
        [3, 10],
        [4, 20],
      ],
    ],
  ])("truncateTo(%i)", (offset, expected) => {
    expect(pairs(of([1, 0], [3, 10], [4, 20]).truncateTo(offset))).toEqual(expected);
  });

  test.each([
    [
      0,
      [
        [1, 0],
        [3, 10],
        [4, 20],
      ],
    ],
    [
      9,
      [
        [1, 9],
        [3, 10],
        [4, 20],
      ],
    ],
    [
      10,
      [
        [3, 10],
        [4, 20],
      ],
    ],
    [
      15,
      [
        [3, 15],
        [4, 20],
      ],
    ],
    [99, [[4, 99]]],
  ])("raiseStart(%i)", (offset, expected) => {
    expect(pairs(of([1, 0], [3, 10], [4, 20]).raiseStart(offset))).toEqual(expected);
  });

  test.each([
    [-1, undefined],
    [0, { epoch: 0, endOffset: 2 }],
    [1, { epoch: 1, endOffset: 10 }],
    [2, { epoch: 1, endOffset: 10 }],
    [3, { epoch: 3, endOffset: 20 }],
    [4, { epoch: 4, endOffset: 25 }],
    [9, { epoch: 4, endOffset: 25 }],
  ])("endOffsetFor(%i), log end 25", (epoch, expected) => {
    expect(of([1, 2], [3, 10], [4, 20]).endOffsetFor(epoch, 25)).toEqual(expected);
    expect(EpochHistory.empty.endOffsetFor(epoch, 25)).toBeUndefined();
  });

  test.each([
    [0, 1],
    [9, 1],
    [10, 3],
    [24, 4],
  ])("epochAt(%i)", (offset, expected) => {
    expect(of([1, 0], [3, 10], [4, 20]).epochAt(offset)).toBe(expected);
    expect(of([1, 5]).epochAt(4)).toBeUndefined();
  });
});

describe("commonEnd", () => {
  test.each<[string, EpochHistory, number, EpochHistory, number, number, number]>([
    ["equal", of([1, 0], [2, 10]), 20, of([1, 0], [2, 10]), 20, 0, 20],
    ["one is shorter", of([1, 0], [2, 10]), 15, of([1, 0], [2, 10]), 20, 0, 15],
    ["another epoch after 10", of([1, 0], [2, 10]), 20, of([1, 0], [3, 10]), 20, 0, 10],
    ["one went on in the old epoch", of([1, 0]), 20, of([1, 0], [3, 10]), 30, 0, 10],
    ["nothing in common", of([1, 0]), 20, of([2, 0]), 20, 0, 0],
    ["different starts, same history above", of([1, 0], [2, 10]), 20, of([2, 12]), 20, 12, 20],
    ["mine ends before theirs begins", of([1, 0]), 5, of([2, 9]), 20, 9, 5],
    ["both empty", EpochHistory.empty, 0, EpochHistory.empty, 0, 0, 0],
  ])("%s", (_, mine, myEnd, theirs, theirEnd, from, expected) => {
    expect(commonEnd(mine, myEnd, theirs, theirEnd, from)).toBe(expected);
    expect(commonEnd(theirs, theirEnd, mine, myEnd, from)).toBe(expected);
  });

  test("is the first offset where the two differ", () => {
    const epochs = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }).map((steps) => {
      let epoch = 0;
      return steps.map((step) => {
        epoch += step > 2 ? 1 : 0;
        return epoch;
      });
    });
    const historyOf = (offsets: number[]) =>
      offsets.reduce((history, epoch, offset) => history.append(epoch, offset), EpochHistory.empty);
    fc.assert(
      fc.property(epochs, epochs, (mine, theirs) => {
        let expected = 0;
        const end = Math.min(mine.length, theirs.length);
        while (expected < end && mine[expected] === theirs[expected]) expected += 1;
        expect(commonEnd(historyOf(mine), mine.length, historyOf(theirs), theirs.length, 0)).toBe(expected);
      }),
    );
  });
});
