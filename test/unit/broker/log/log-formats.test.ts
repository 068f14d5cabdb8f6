import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EpochHistory } from "../../../../broker/log/epoch-history.ts";
import { decodeLogState, encodeLogState, type LogState, notCompacted } from "../../../../broker/log/log-state-file.ts";
import { SegmentIndex } from "../../../../broker/log/segment-index.ts";
import { decodeSegmentIndex, encodeSegmentIndex } from "../../../../shared/segment/segment-index-format.ts";
import { parseSegmentFileName, segmentFileName } from "../../../../shared/segment/segment-names.ts";

const state: LogState = {
  startOffset: 5,
  checkpointOffset: 40,
  cutPending: true,
  segments: [
    { baseOffset: 0, endOffset: 30, sizeBytes: 2_000, maxTimestamp: 99, createdMs: 7, generation: 0 },
    { baseOffset: 30, endOffset: 40, sizeBytes: 700, maxTimestamp: -1, createdMs: 8, generation: 0 },
  ],
  epochs: EpochHistory.of([
    { epoch: 1, startOffset: 5 },
    { epoch: 4, startOffset: 33 },
  ]),
  producers: Buffer.from("ab"),
  compaction: notCompacted,
};

const compacted: LogState = {
  ...state,
  segments: state.segments.map((segment, index) => ({ ...segment, generation: 3 - 3 * index })),
  compaction: { compactedTo: 30, cleanedTo: 30, tombstonesGoneBelow: 12, newestHorizonMs: 1_700_000_000_000 },
};

const beingCompacted: LogState = { ...compacted, compaction: { ...compacted.compaction, cleanedTo: 38 } };

describe("log.state", () => {
  test("golden bytes", () => {
    expect(encodeLogState(state).toString("hex")).toBe(
      [
        "424c4653 0001 0001 0000000000000005 0000000000000028 00000002",
        "0000000000000000 000000000000001e 000007d0 0000000000000063 0000000000000007",
        "000000000000001e 0000000000000028 000002bc ffffffffffffffff 0000000000000008",
        "00000002 00000001 0000000000000005 00000004 0000000000000021",
        "00000002 6162",
        "eb1e9958",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("golden bytes of a log that was compacted", () => {
    expect(encodeLogState(compacted).toString("hex")).toBe(
      [
        "424c4653 0002 0001 0000000000000005 0000000000000028 00000002",
        "0000000000000000 000000000000001e 000007d0 0000000000000063 0000000000000007 00000003",
        "000000000000001e 0000000000000028 000002bc ffffffffffffffff 0000000000000008 00000000",
        "00000002 00000001 0000000000000005 00000004 0000000000000021",
        "00000002 6162",
        "000000000000001e 000000000000000c 0000018bcfe56800",
        "f761301e",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("golden bytes of a log of which a pass is under way", () => {
    const bytes = encodeLogState(beingCompacted).toString("hex");
    expect(bytes.slice(8, 12)).toBe("0003");
    expect(bytes.slice(-72)).toBe(
      "000000000000001e 000000000000000c 0000018bcfe56800 0000000000000026 c3928ed6".replaceAll(" ", ""),
    );
  });

  test.each([
    ["plain", state],
    ["compacted", compacted],
    ["of a pass that did not end", beingCompacted],
  ])("%s: what is decoded is what was encoded; damaged or torn bytes are not taken", (_, each) => {
    const bytes = encodeLogState(each);
    expect(decodeLogState(bytes)).toEqual(each);
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(decodeLogState(damaged)).toBeUndefined();
      expect(decodeLogState(bytes.subarray(0, at))).toBeUndefined();
    }
  });
});

describe("index file", () => {
  const index = new SegmentIndex();
  index.note(0, 0, -1, 100);
  index.note(7, 150, 1_000, 100);
  index.note(9, 200, 1_000, 100);
  index.note(12, 260, 2_000, 100);

  test("golden bytes: an entry only every interval", () => {
    expect(encodeSegmentIndex(5_000, 300, index).toString("hex")).toBe(
      [
        "424c4649 0001 0000 0000000000001388 0000012c 00000002",
        "00000007 00000096 00000000000003e8",
        "0000000c 00000104 00000000000007d0",
        "a112e6df",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("what is decoded is what was encoded; damaged, torn or of another segment is not taken", () => {
    const bytes = encodeSegmentIndex(5_000, 300, index);
    expect(decodeSegmentIndex(bytes, 5_000)).toEqual({
      coveredBytes: 300,
      columns: {
        count: 2,
        offsets: Uint32Array.of(7, 12),
        positions: Uint32Array.of(150, 260),
        timestamps: Float64Array.of(1_000, 2_000),
      },
    });
    expect(decodeSegmentIndex(bytes, 5_001)).toBeUndefined();
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(decodeSegmentIndex(damaged, 5_000)).toBeUndefined();
      expect(decodeSegmentIndex(bytes.subarray(0, at), 5_000)).toBeUndefined();
    }
  });
});

describe("SegmentIndex", () => {
  test("look-ups agree with a walk over the entries, also after a cut and a merge", () => {
    const batches = fc.array(
      fc.record({ size: fc.integer({ min: 61, max: 400 }), time: fc.integer({ min: -1, max: 50 }) }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(batches, fc.nat(60), fc.nat(60), (all, cutAt, splitAt) => {
        const index = new SegmentIndex();
        const rows: { offset: number; position: number; before: number }[] = [];
        let position = 0;
        let before = -1;
        for (const [offset, batch] of all.entries()) {
          rows.push({ offset, position, before });
          position += batch.size;
          before = Math.max(before, batch.time);
        }
        const split = rows[Math.min(splitAt, rows.length - 1)]?.position ?? 0;
        const late = new SegmentIndex(split);
        for (const row of rows) {
          index.note(row.offset, row.position, row.before, 150);
          if (row.position >= split) late.note(row.offset, row.position, row.before, 150);
        }
        late.prepend(index);
        expect(late.coversFrom).toBe(0);
        const cut = rows[cutAt]?.position ?? position;
        index.truncateTo(cut);
        for (const [each, end] of [
          [index, cut],
          [late, position],
        ] as const) {
          for (const row of rows) {
            if (row.position >= end) continue;
            const found = rows.find((other) => other.position === each.positionBefore(row.offset));
            expect(found?.offset).toBeLessThanOrEqual(row.offset);
            expect(
              found === undefined || found.position === 0 || each.timestampBefore(found.position) === found.before,
            ).toBe(true);
          }
          for (let time = -1; time <= 51; time += 4) {
            const from = each.positionBeforeTime(time);
            expect(from === 0 || (rows.find((row) => row.position === from)?.before ?? time) < time).toBe(true);
          }
        }
      }),
    );
  });
});

describe("names", () => {
  test("sort as offsets do, and only ours are known", () => {
    expect(segmentFileName(42, "log")).toBe("00000000000000000042.log");
    expect(segmentFileName(42, "log", 7)).toBe("00000000000000000042-7.log");
    expect(segmentFileName(42, "snapshot", 7)).toBe("00000000000000000042.snapshot");
    const file = { baseOffset: 42, kind: "index", generation: 0 };
    expect(parseSegmentFileName("00000000000000000042.index")).toEqual(file);
    expect(parseSegmentFileName("00000000000000000042-7.index")).toEqual({ ...file, generation: 7 });
    const foreign = ["log.state", "42.log", "00000000000000000042.txt", "99999999999999999999.log"];
    const neverGiven = ["00000000000000000042-0.log", "00000000000000000042-07.log", "00000000000000000042-7.snapshot"];
    for (const name of [...foreign, ...neverGiven]) expect(parseSegmentFileName(name)).toBeUndefined();
  });
});
