import { describe, expect, test } from "vitest";
import type { LogChunk } from "../../../../broker/log/log-contract.ts";
import { LogTail, TailCache } from "../../../../broker/log/tail-cache.ts";
import { collectYoung } from "../collecting.ts";

/** A chunk of one offset in a buffer of its own (or one that is given). */
function chunk(offset: number, bytes: Buffer | number = 100): LogChunk {
  const buffer = typeof bytes === "number" ? Buffer.from(new ArrayBuffer(bytes)) : bytes;
  return { baseOffset: offset, endOffset: offset + 1, epoch: 1, bytes: buffer, startsSegment: false };
}

function push(tail: LogTail, from: number, count: number, bytes = 100): void {
  for (let offset = from; offset < from + count; offset += 1) tail.push(chunk(offset, bytes));
}

const held = (tail: LogTail, end: number) => {
  const offsets: number[] = [];
  for (let offset = 0; offset < end; offset += 1) if (tail.indexOf(offset) >= 0) offsets.push(offset);
  return offsets;
};

describe("TailCache", () => {
  test("the oldest written chunk of any log goes first", () => {
    const cache = new TailCache(400);
    const [one, two] = [new LogTail(cache), new LogTail(cache)];
    push(one, 0, 2);
    one.written(2);
    push(two, 0, 2);
    two.written(2);
    push(one, 2, 1);
    one.written(1);
    expect([held(one, 5), held(two, 5), cache.bytes]).toEqual([[1, 2], [0, 1], 400]);
    push(two, 2, 2);
    two.written(2);
    expect([held(one, 5), held(two, 5), cache.bytes]).toEqual([[2], [1, 2, 3], 400]);
  });

  test("what is not written stays, whatever the budget", () => {
    const cache = new TailCache(100);
    const tail = new LogTail(cache);
    push(tail, 0, 10);
    expect([held(tail, 10).length, cache.bytes]).toEqual([10, 0]);
    tail.written(10);
    expect([held(tail, 10), cache.bytes]).toEqual([[9], 100]);
  });

  test("a shared buffer counts once, whole, until its last chunk goes", () => {
    const cache = new TailCache(10_000);
    const tail = new LogTail(cache);
    const frame = Buffer.from(new ArrayBuffer(4_000));
    tail.push(chunk(0, frame.subarray(0, 10)));
    tail.push(chunk(1, frame.subarray(10, 20)));
    tail.written(2);
    expect(cache.bytes).toBe(4_000);
    tail.dropOldest();
    expect(cache.bytes).toBe(4_000);
    tail.clear();
    expect(cache.bytes).toBe(0);
  });

  test("after a clear the places of the dropped chunks do not push out new ones", () => {
    const cache = new TailCache(300);
    const [one, two] = [new LogTail(cache), new LogTail(cache)];
    push(one, 0, 3);
    one.written(3);
    one.clear();
    push(two, 0, 2);
    two.written(2);
    push(one, 3, 1);
    one.written(1);
    expect([held(one, 9), held(two, 9), cache.bytes]).toEqual([[3], [0, 1], 300]);
    push(two, 2, 1);
    two.written(1);
    expect([held(one, 9), held(two, 9), cache.bytes]).toEqual([[3], [1, 2], 300]);
  });

  test("young collections alone free what has passed through", () => {
    const cache = new TailCache(2_000_000);
    const [one, two] = [new LogTail(cache), new LogTail(cache)];
    const before = process.memoryUsage().arrayBuffers;
    // Stays below what makes V8 collect the whole heap by itself.
    for (let offset = 0; offset < 500; offset += 1) {
      for (const tail of [one, two]) {
        push(tail, offset, 1, 50_000);
        tail.written(1);
      }
      if (offset % 25 === 0) collectYoung();
    }
    collectYoung();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
  });

  test("long use keeps counts and places right", () => {
    const cache = new TailCache(5_000);
    const tails = Array.from({ length: 7 }, () => new LogTail(cache));
    const ends = tails.map(() => 0);
    for (let round = 0; round < 5_000; round += 1) {
      const index = (round * round + round) % 7;
      const tail = tails[index] as LogTail;
      push(tail, ends[index] as number, 1, 50 + (round % 5) * 30);
      ends[index] = (ends[index] as number) + 1;
      tail.written(1);
      if (round % 97 === 0) tail.clear();
      expect(cache.bytes).toBeLessThanOrEqual(5_000);
    }
    for (const tail of tails) tail.clear();
    expect(cache.bytes).toBe(0);
  });
});
