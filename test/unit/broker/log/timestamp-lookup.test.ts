import { describe, expect, test } from "vitest";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { RecordBatchView } from "../../../../shared/kafka/records/record-batch.ts";
import { segmentFileName } from "../../../../shared/segment/segment-names.ts";
import { logDirectory, makeTestLog, written } from "./log-fixture.ts";

/** A log of batches with these record times; a segment begins at every third batch. */
async function logOf(
  batches: readonly (readonly number[])[],
  options: { compression?: number; appendTime?: boolean } = {},
) {
  const world = makeTestLog({ tailBytesMax: 0 });
  const log = await world.open({ config: { indexIntervalBytes: 100 } });
  for (const [index, times] of batches.entries()) {
    const baseOffset = log.endOffset;
    const bytes = encodeBatch({
      baseOffset,
      partitionLeaderEpoch: 1 + index,
      compression: options.compression ?? 0,
      records: times.map((timestampMs) => ({ timestampMs, value: Buffer.alloc(30) })),
    });
    if (options.appendTime === true) new RecordBatchView(bytes).setLogAppendTime(Math.max(...times));
    const endOffset = baseOffset + times.length;
    log.append({ baseOffset, endOffset, epoch: 1 + index, bytes, startsSegment: index % 3 === 0 });
  }
  await written(log);
  return { world, log };
}

const random = (seed: number) => {
  let state = seed;
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
};

describe("offsets by time", () => {
  test.each([0, 1, 4])("agree with a walk over all records, compression %i", async (compression) => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const next = random(seed);
      const batches = Array.from({ length: 2 + next(12) }, () => Array.from({ length: 1 + next(4) }, () => next(60)));
      const { log } = await logOf(batches, { compression });
      const records = batches.flatMap((times, index) =>
        times.map((timestampMs) => ({ timestampMs, epoch: index + 1 })),
      );
      const rows = records.map((record, offset) => ({ offset, ...record }));
      const start = next(rows.length);
      await log.raiseStart(start);
      // The bound is a batch's end, as a high watermark is.
      let bound = 0;
      for (const times of batches.slice(0, 1 + next(batches.length))) bound += times.length;
      const visible = rows.filter((row) => row.offset >= start && row.offset < bound);
      for (let time = 0; time <= 61; time += 7) {
        expect(await log.offsetForTimestamp(time, bound)).toEqual(visible.find((row) => row.timestampMs >= time));
      }
      const newest = Math.max(...visible.map((row) => row.timestampMs));
      expect(await log.offsetOfMaxTimestamp(bound)).toEqual(visible.find((row) => row.timestampMs === newest));
    }
  });

  test("under LogAppendTime the batch's time counts for all its records", async () => {
    const { log } = await logOf(
      [
        [5, 9],
        [1, 20],
      ],
      { appendTime: true },
    );
    expect(await log.offsetForTimestamp(7, 4)).toEqual({ offset: 0, timestampMs: 9, epoch: 1 });
    expect(await log.offsetForTimestamp(10, 4)).toEqual({ offset: 2, timestampMs: 20, epoch: 2 });
    expect(await log.offsetOfMaxTimestamp(4)).toEqual({ offset: 2, timestampMs: 20, epoch: 2 });
  });

  test("an empty log has none", async () => {
    const log = await makeTestLog().open();
    expect(await log.offsetForTimestamp(0, 0)).toBeUndefined();
    expect(await log.offsetOfMaxTimestamp(0)).toBeUndefined();
  });

  test("work after a restart, with and without the index file", async () => {
    const batches = Array.from({ length: 40 }, (_, index) => [index * 10, index * 10 + 5]);
    const { world, log } = await logOf(batches);
    await log.close(true);
    await world.disk.removeFile(`${logDirectory}/${segmentFileName(24, "index")}`);
    const again = await world.open();
    expect(await again.offsetForTimestamp(135, 80)).toEqual({ offset: 27, timestampMs: 135, epoch: 14 });
    expect(await again.offsetForTimestamp(136, 80)).toEqual({ offset: 28, timestampMs: 140, epoch: 15 });
    expect(await again.offsetForTimestamp(396, 80)).toBeUndefined();
  });
});
