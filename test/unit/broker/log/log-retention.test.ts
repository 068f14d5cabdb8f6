import { describe, expect, test } from "vitest";
import { retentionStart } from "../../../../broker/log/log-retention.ts";

/** Three segments of ten records and 100 bytes, newest record at 10, 20 and 30 s; begun one second before. */
const segments = [0, 10, 20].map((baseOffset, index) => ({
  baseOffset,
  endOffset: baseOffset + 10,
  sizeBytes: 100,
  maxTimestamp: (index + 1) * 10_000,
  createdMs: (index + 1) * 10_000 - 1_000,
  generation: 0,
}));

const start = (retentionMs: number, retentionBytes: number, wallMs: number, bound = 30, startOffset = 0) =>
  retentionStart(segments, { retentionMs, retentionBytes }, { startOffset, wallMs, bound });

describe("retentionStart", () => {
  test.each([
    ["no limits", -1, -1, 1_000_000, 30, 0],
    ["by time: not older than the limit", 10_000, -1, 20_000, 30, 0],
    ["by time: one is older", 10_000, -1, 20_001, 30, 10],
    ["by time: all, the growing one too", 10_000, -1, 50_000, 30, 30],
    ["by time: none above the bound", 10_000, -1, 50_000, 25, 20],
    ["by size: without the oldest it is still large enough", -1, 200, 0, 30, 10],
    ["by size: without the oldest it is too small", -1, 201, 0, 30, 0],
    ["by size: nothing to keep", -1, 0, 0, 30, 30],
    ["by size first, then by time", 5_000, 250, 25_001, 30, 20],
  ])("%s", (_, retentionMs, retentionBytes, wallMs, bound, expected) => {
    expect(start(retentionMs, retentionBytes, wallMs, bound)).toBe(expected);
  });

  test("never falls below the start that is", () => {
    expect(start(10_000, -1, 20_001, 30, 17)).toBe(17);
  });

  test("without timestamps the begin of the segment counts", () => {
    const bare = segments.map((segment) => ({ ...segment, maxTimestamp: -1 }));
    const now = { startOffset: 0, wallMs: 19_001, bound: 30 };
    expect(retentionStart(bare, { retentionMs: 10_000, retentionBytes: -1 }, now)).toBe(10);
  });
});
