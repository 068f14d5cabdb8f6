/**
 * Random histories of appends, rolls, cuts, rises and crashes against a plain model. After every crash the log must be a
 * prefix of what was appended: with all that was synced (or, when only the process died, written), nothing that was cut,
 * the epochs of exactly those batches, and no producer's batch that is not there.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EpochHistory } from "../../../../broker/log/epoch-history.ts";
import type { LogChunk, Offset } from "../../../../broker/log/log-contract.ts";
import type { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { ProducerStates } from "../../../../broker/log/producer-states.ts";
import { wholeBatches } from "../../../../shared/kafka/records/record-batch.ts";
import { chunkAt, makeTestLog, readAll } from "./log-fixture.ts";
import { RandomOrder, seeded } from "./random-order.ts";

type Step =
  | { kind: "append"; count: number; size: number; batches: number; roll: boolean; bump: boolean; producer: number }
  | { kind: "turns"; count: number }
  | { kind: "sync"; wait: boolean }
  | { kind: "truncate"; back: number; wait: boolean }
  | { kind: "raise"; forward: number; wait: boolean }
  | { kind: "restart"; forward: number; wait: boolean }
  | { kind: "reopen"; clean: boolean }
  | { kind: "crash"; keepUnsynced: "all" | "none" | "random"; torn: boolean };

const wait = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 6 }),
      size: fc.integer({ min: 1, max: 1_500 }),
      batches: fc.integer({ min: 1, max: 3 }),
      roll: fc.boolean(),
      bump: fc.boolean(),
      producer: fc.integer({ min: -1, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("sync" as const), wait }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("truncate" as const), back: fc.integer({ min: 0, max: 12 }), wait }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("raise" as const), forward: fc.integer({ min: 0, max: 12 }), wait }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("restart" as const), forward: fc.integer({ min: -3, max: 30 }), wait }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const), clean: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      keepUnsynced: fc.constantFrom("all" as const, "none" as const, "random" as const),
      torn: fc.boolean(),
    }),
  },
);

class Model {
  /** One for each batch. */
  chunks: LogChunk[] = [];
  /** Starts that the log may have after a crash: the one that is known, and one that is on its way. */
  start: Offset = 0;
  startUnderWay: Offset | undefined;
  /** A cut that may or may not have happened when the log crashes. */
  cutUnderWay: Offset | undefined;
  restartUnderWay: Offset | undefined;
  epoch = 1;
  readonly sequences = new Map<number, number>();

  get end(): Offset {
    return this.chunks.at(-1)?.endOffset ?? this.start;
  }

  append(chunk: LogChunk): void {
    const { epoch, startsSegment } = chunk;
    for (const { baseOffset, endOffset, bytes } of wholeBatches(chunk.bytes)) {
      this.chunks.push({ baseOffset, endOffset, epoch, bytes, startsSegment });
    }
  }

  cutTo(end: Offset): void {
    if (end >= this.end) return;
    if (end <= this.start) return this.restartAt(end);
    this.chunks = this.chunks.filter((chunk) => chunk.endOffset <= end);
  }

  restartAt(offset: Offset): void {
    this.chunks = [];
    this.start = offset;
  }

  /** Bytes of the batches in [start, end), whole chunks as they were appended. */
  bytes(start: Offset, end: Offset): Buffer {
    const parts: Buffer[] = [];
    for (const chunk of this.chunks) {
      for (const batch of wholeBatches(chunk.bytes)) {
        if (batch.endOffset > start && batch.endOffset <= end) parts.push(batch.bytes);
      }
    }
    return Buffer.concat(parts);
  }

  epochs(start: Offset, end: Offset): EpochHistory {
    let history = EpochHistory.empty;
    for (const chunk of this.chunks) {
      if (chunk.baseOffset < end) history = history.append(chunk.epoch, chunk.baseOffset);
    }
    return history.raiseStart(start);
  }

  producers(end: Offset): ProducerStates {
    const states = new ProducerStates();
    for (const chunk of this.chunks) {
      for (const batch of wholeBatches(chunk.bytes)) if (batch.endOffset <= end) states.update(batch, 0);
    }
    return states;
  }
}

async function check(
  log: PartitionLog,
  model: Model,
  order: RandomOrder,
  bounds: { min: Offset; max: Offset },
): Promise<void> {
  const restarted = model.restartUnderWay;
  const isEmptyAt = (offset: Offset) => log.startOffset === offset && log.endOffset === offset;
  if (restarted !== undefined && isEmptyAt(restarted) && log.epochs.entries.length === 0) {
    model.restartAt(restarted);
  } else {
    const min = Math.min(bounds.min, model.cutUnderWay ?? bounds.min);
    expect(log.endOffset).toBeGreaterThanOrEqual(min);
    expect(log.endOffset).toBeLessThanOrEqual(bounds.max);
    if (log.startOffset !== model.start) expect(log.startOffset).toBe(model.startUnderWay);
    model.start = log.startOffset;
    if (log.endOffset > log.startOffset) {
      expect((await order.until(readAll(log))).equals(model.bytes(log.startOffset, log.endOffset))).toBe(true);
    }
    expect(log.epochs.entries).toEqual(model.epochs(log.startOffset, log.endOffset).entries);
    const known = model.producers(log.endOffset);
    for (const state of log.producers.all()) {
      const expected = known.find(state.producerId);
      for (const batch of state.batches) expect(expected?.batches).toContainEqual(batch);
    }
    for (const state of known.all()) {
      const last = state.batches.at(-1);
      if (last === undefined || last.baseOffset < log.startOffset) continue;
      expect(log.producers.find(state.producerId)?.batches.at(-1)).toEqual(last);
    }
    model.chunks = model.chunks.filter((chunk) => chunk.endOffset <= log.endOffset);
  }
  model.startUnderWay = undefined;
  model.cutUnderWay = undefined;
  model.restartUnderWay = undefined;
}

async function run(steps: readonly Step[], seed: number): Promise<void> {
  const random = seeded(seed);
  const order = new RandomOrder(random);
  const world = makeTestLog({ schedule: order.schedule, tailBytesMax: random() < 0.5 ? 0 : 10_000 });
  const model = new Model();
  let log = await order.until(world.open());
  let pending: Promise<unknown>[] = [];
  const begin = async (work: Promise<unknown>, mustWait: boolean): Promise<void> => {
    work.catch(() => undefined);
    if (mustWait) await order.until(work);
    else pending.push(work);
  };
  const settle = async (): Promise<void> => {
    for (const work of pending) await order.until(work);
    pending = [];
    model.cutUnderWay = undefined;
    model.startUnderWay = undefined;
    model.restartUnderWay = undefined;
  };
  for (const each of steps) {
    switch (each.kind) {
      case "append":
        if (model.cutUnderWay !== undefined || model.restartUnderWay !== undefined) await settle();
        if (each.bump) model.epoch += 1;
        for (let index = 0; index < each.count; index += 1) {
          const { producer } = each;
          const sequence = model.sequences.get(producer) ?? 0;
          model.sequences.set(producer, sequence + each.batches);
          const idempotent = producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequence };
          const chunk = chunkAt(model.end, {
            epoch: model.epoch,
            startsSegment: each.roll && index === 0,
            // The sequences of several batches would have to differ; one is enough here.
            batches: producer < 0 ? each.batches : 1,
            valueBytes: each.size,
            ...idempotent,
          });
          log.append(chunk);
          model.append(chunk);
        }
        break;
      case "turns":
        for (let left = each.count; left > 0; left -= 1) await order.step();
        break;
      case "sync":
        await begin(log.sync(), each.wait);
        break;
      case "truncate": {
        await settle();
        const index = Math.max(0, model.chunks.length - each.back);
        const end = Math.max(model.start, model.chunks[index]?.baseOffset ?? model.end);
        const work = log.truncate(end);
        model.cutUnderWay = end;
        if (end <= model.start && end < model.end) model.restartUnderWay = end;
        await begin(work, each.wait);
        work.then(
          () => model.cutTo(end),
          () => undefined,
        );
        if (each.wait) await settle();
        break;
      }
      case "raise": {
        await settle();
        const start = Math.min(model.start + each.forward, model.end);
        const work = log.raiseStart(start);
        model.startUnderWay = start;
        work.then(
          () => {
            model.start = Math.max(model.start, start);
          },
          () => undefined,
        );
        await begin(work, each.wait);
        if (each.wait) await settle();
        break;
      }
      case "restart": {
        await settle();
        const offset = Math.max(0, model.end + each.forward);
        const work = log.restartAt(offset);
        model.restartUnderWay = offset;
        work.then(
          () => model.restartAt(offset),
          () => undefined,
        );
        await begin(work, each.wait);
        if (each.wait) await settle();
        break;
      }
      case "reopen": {
        await settle();
        await order.until(log.close(each.clean));
        const end = model.end;
        log = await order.until(world.open({ pageCacheSurvived: true }));
        if (each.clean) expect(log.recovery.scannedBytes).toBe(0);
        await check(log, model, order, { min: end, max: end });
        break;
      }
      case "crash": {
        const { keepUnsynced, torn } = each;
        const min = keepUnsynced === "all" ? log.writtenOffset : log.syncedOffset;
        const max = log.endOffset;
        const start = log.startOffset;
        const mayRestart = model.restartUnderWay !== undefined;
        world.disk.crash({ keepUnsynced, tornWrites: torn, random });
        pending = [];
        log = await order.until(world.open({ pageCacheSurvived: keepUnsynced === "all" }));
        if (!mayRestart) expect(log.startOffset).toBeGreaterThanOrEqual(start);
        await check(log, model, order, { min, max: Math.max(max, model.end) });
        break;
      }
      default:
        each satisfies never;
    }
  }
  await settle();
  const end = model.end;
  await order.until(log.close(true));
  log = await order.until(world.open());
  await check(log, model, order, { min: end, max: end });
}

/** More histories, or others: `LOG_CRASH_RUNS=40000 LOG_CRASH_SEED=7 npx vitest run --project unit crash-recovery`. */
const runs = Number(process.env["LOG_CRASH_RUNS"] ?? 300);
const firstSeed = Number(process.env["LOG_CRASH_SEED"] ?? 1);

test("after any history and crash the log is a valid prefix with all that was synced", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), fc.integer({ min: 0 }), async (steps, seed) => {
      await run(steps, seed);
    }),
    { numRuns: runs, seed: firstSeed },
  );
});
