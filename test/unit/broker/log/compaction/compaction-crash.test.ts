/**
 * Random histories of keyed appends, compactions, cuts above what is settled, rises of the start and crashes, against a
 * naive model; and one history that is crashed at every single disk operation of a pass. Whatever happens, reading from
 * the start yields of each live key its newest value, no record that was not written there, and no hole; what is missing
 * was replaced by a newer record below the bound of a pass, or is a tombstone whose time was over.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EpochHistory } from "../../../../../broker/log/epoch-history.ts";
import type { Offset } from "../../../../../broker/log/log-contract.ts";
import type { PartitionLog } from "../../../../../broker/log/partition-log.ts";
import { ProducerStates } from "../../../../../broker/log/producer-states.ts";
import { wholeBatches } from "../../../../../shared/kafka/records/record-batch.ts";
import { makeTestLog, type TestLog } from "../log-fixture.ts";
import { RandomOrder, seeded } from "../random-order.ts";
import { compact, type KeyedRecord, keyedChunk, recordsOf, rules, storedBytes } from "./compaction-fixture.ts";

type Step =
  | {
      kind: "append";
      records: readonly { key: number; isTombstone: boolean }[];
      codec: number;
      roll: boolean;
      bump: boolean;
      producer: number;
    }
  | { kind: "turns"; count: number }
  | { kind: "sync"; wait: boolean }
  | { kind: "compact"; wait: boolean; mapKeys: number; back: number }
  | { kind: "advance"; ms: number }
  | { kind: "truncate"; back: number }
  | { kind: "raise"; forward: number }
  | { kind: "reopen"; clean: boolean }
  | { kind: "crash"; keepUnsynced: "all" | "none" | "random"; torn: boolean };

const record = fc.record({ key: fc.integer({ min: 0, max: 5 }), isTombstone: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      records: fc.array(record, { minLength: 1, maxLength: 6 }),
      codec: fc.integer({ min: 0, max: 4 }),
      roll: fc.boolean(),
      bump: fc.boolean(),
      producer: fc.integer({ min: -1, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sync" as const), wait: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("compact" as const),
      wait: fc.boolean(),
      mapKeys: fc.integer({ min: 1, max: 20 }),
      back: fc.integer({ min: 0, max: 10 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("truncate" as const), back: fc.integer({ min: 0, max: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("raise" as const), forward: fc.integer({ min: 0, max: 6 }) }) },
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

interface ModelRecord {
  readonly offset: Offset;
  readonly key: string;
  readonly value: string | null;
  readonly timestampMs: number;
  /** When a pass could first have met it. */
  metMs: number;
}

interface ModelBatch {
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  readonly epoch: number;
  readonly bytes: Buffer;
}

class Model {
  records: ModelRecord[] = [];
  batches: ModelBatch[] = [];
  start: Offset = 0;
  /** Bound of the passes so far: nothing below is ever cut. */
  settled: Offset = 0;
  epoch = 1;
  /** A cut or a crash took batches: what was the newest of a producer may have been another one for a pass. */
  isCut = false;
  readonly sequences = new Map<number, number>();

  get end(): Offset {
    return this.batches.at(-1)?.endOffset ?? this.start;
  }

  cutTo(end: Offset): void {
    if (end < this.end) this.isCut = true;
    this.batches = this.batches.filter((batch) => batch.endOffset <= end);
    this.records = this.records.filter((each) => each.offset < end);
  }

  epochs(start: Offset): EpochHistory {
    let history = EpochHistory.empty;
    for (const { epoch, baseOffset } of this.batches) history = history.append(epoch, baseOffset);
    return history.raiseStart(start);
  }
}

/** Judges what is stored by what was appended. */
function judge(
  log: PartitionLog,
  model: Model,
  stored: Buffer,
  then: { readonly nowMs: number; readonly compactedTo: Offset },
): void {
  const { nowMs, compactedTo } = then;
  const { startOffset, endOffset } = log;
  const found = recordsOf(stored, startOffset);
  const last = [...wholeBatches(stored)].at(-1);
  expect(last?.endOffset ?? startOffset).toBe(endOffset);
  expect(log.epochs.entries).toEqual(model.epochs(startOffset).entries);
  const written = new Map(model.records.map((each) => [each.offset, each]));
  const present = new Set<Offset>();
  const compactedKeys = new Set<string>();
  for (const { offset, key, value, timestampMs, headers } of found) {
    const expected = written.get(offset);
    expect({ key: String(key), value: value === null ? null : String(value), timestampMs }).toEqual({
      key: expected?.key,
      value: expected?.value,
      timestampMs: expected?.timestampMs,
    });
    expect(String(headers[0]?.value)).toBe(String(offset));
    present.add(offset);
    if (offset >= compactedTo) continue;
    expect(compactedKeys.has(String(key)), `two records of ${String(key)} below ${compactedTo}`).toBe(false);
    compactedKeys.add(String(key));
  }
  const newer = new Map<string, Offset>();
  for (const each of model.records.toReversed()) {
    const replacedAt = newer.get(each.key);
    if (each.offset < model.settled) newer.set(each.key, replacedAt ?? each.offset);
    if (each.offset < startOffset || present.has(each.offset) || replacedAt !== undefined) continue;
    const isOld = each.value === null && nowMs >= each.metMs + rules.deleteRetentionMs;
    expect(isOld, `${each.key}@${each.offset} is missing, and nothing has replaced it`).toBe(true);
    expect(log.tombstonesGoneBelow).toBeGreaterThan(each.offset);
    const older = model.records.filter((other) => other.key === each.key && other.offset < each.offset);
    expect(older.filter(({ offset }) => present.has(offset))).toEqual([]);
  }
  if (!model.isCut) judgeProducers(model, stored, startOffset);
}

function judgeProducers(model: Model, stored: Buffer, startOffset: Offset): void {
  const expected = new ProducerStates();
  for (const { bytes } of model.batches) for (const batch of wholeBatches(bytes)) expected.update(batch, 0);
  const rebuilt = new ProducerStates();
  for (const batch of wholeBatches(stored)) rebuilt.update(batch, 0);
  for (const { producerId, batches } of expected.all()) {
    const newest = batches.at(-1);
    if (newest === undefined || newest.baseOffset < startOffset) continue;
    const { baseSequence, lastSequence, baseOffset, endOffset } = newest;
    const kept = { baseSequence, lastSequence, baseOffset, endOffset };
    expect(rebuilt.find(producerId)?.batches.at(-1)).toMatchObject(kept);
  }
}

class History {
  readonly world: TestLog;
  readonly order: RandomOrder;
  readonly model = new Model();
  readonly random: () => number;
  log!: PartitionLog;
  #pending: Promise<unknown>[] = [];

  constructor(seed: number) {
    this.random = seeded(seed);
    this.order = new RandomOrder(this.random);
    this.world = makeTestLog({ schedule: this.order.schedule, tailBytesMax: this.random() < 0.5 ? 0 : 10_000 });
  }

  async open(pageCacheSurvived = false): Promise<void> {
    const config = { compaction: rules, segmentBytes: 700 };
    this.log = await this.order.until(this.world.open({ config, pageCacheSurvived }));
  }

  async check(): Promise<void> {
    const { log, model, order, world } = this;
    // A pass may be under way: it only goes on while the log is read.
    const { compactedTo } = log;
    judge(log, model, await order.until(storedBytes(log)), { nowMs: world.clock.nowMs, compactedTo });
  }

  async begin(work: Promise<unknown>, wait: boolean): Promise<void> {
    work.catch(() => undefined);
    if (wait) await this.order.until(work);
    else this.#pending.push(work);
  }

  async settle(): Promise<void> {
    for (const work of this.#pending.splice(0)) await this.order.until(work);
  }

  append({ records, codec, roll, bump, producer }: Step & { kind: "append" }): void {
    const { model, log } = this;
    if (bump) model.epoch += 1;
    const sequence = model.sequences.get(producer) ?? 0;
    model.sequences.set(producer, sequence + records.length);
    const baseOffset = log.endOffset;
    const keyed = records.map(({ key, isTombstone }, index): KeyedRecord & { timestampMs: number } => ({
      key: `key-${key}`,
      value: isTombstone ? null : `${baseOffset + index}@${model.epoch}`,
      timestampMs: 1_600_000_000_000 + Math.floor(this.random() * 1_000),
    }));
    const chunk = keyedChunk(baseOffset, keyed, {
      epoch: model.epoch,
      startsSegment: roll,
      compression: codec,
      ...(producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequence }),
    });
    log.append(chunk);
    model.batches.push({ ...chunk, bytes: Buffer.from(chunk.bytes) });
    for (const [index, { key, value, timestampMs }] of keyed.entries()) {
      const offset = baseOffset + index;
      model.records.push({ offset, key: key as string, value, timestampMs, metMs: Number.POSITIVE_INFINITY });
    }
  }

  async compact({ wait, mapKeys, back }: { wait: boolean; mapKeys: number; back: number }): Promise<void> {
    const { model, log, world } = this;
    const settledOffset = Math.max(model.settled, log.writtenOffset - back);
    model.settled = settledOffset;
    for (const each of model.records) {
      if (each.offset < settledOffset) each.metMs = Math.min(each.metMs, world.clock.nowMs);
    }
    await this.begin(compact(world, log, { settledOffset, mapBytesMax: Math.ceil(mapKeys / 0.75 + 1) * 24 }), wait);
  }

  async truncate(back: number): Promise<void> {
    const { model, log, order } = this;
    await this.settle();
    const index = Math.max(0, model.batches.length - back);
    const end = Math.max(model.settled, model.batches[index]?.baseOffset ?? model.end);
    const batch = model.batches.find(({ baseOffset, endOffset }) => baseOffset < end && endOffset > end);
    if (batch !== undefined || end < model.start) return;
    await order.until(log.truncate(end));
    model.cutTo(end);
  }

  async reopen(clean: boolean): Promise<void> {
    const { log, order } = this;
    // Also while a pass is under way.
    await order.until(log.close(clean));
    await this.settle();
    await this.open(true);
    await this.check();
  }

  async crash(keepUnsynced: "all" | "none" | "random", torn: boolean): Promise<void> {
    const { log, model, world, random } = this;
    const min = keepUnsynced === "all" ? log.writtenOffset : log.syncedOffset;
    const compactedTo = log.compactedTo;
    this.#pending = [];
    world.disk.crash({ keepUnsynced, tornWrites: torn, random });
    await this.open(keepUnsynced === "all");
    expect(this.log.endOffset).toBeGreaterThanOrEqual(min);
    expect(this.log.compactedTo).toBeGreaterThanOrEqual(compactedTo);
    expect(this.log.endOffset).toBeGreaterThanOrEqual(this.log.compactedTo);
    model.cutTo(this.log.endOffset);
    model.settled = Math.min(model.settled, this.log.endOffset);
    model.start = this.log.startOffset;
    await this.check();
    const names = await this.order.until(world.disk.list("/data/topic-0"));
    expect(names.filter((name) => name.endsWith(".log")).length).toBeLessThanOrEqual(this.log.segments.length);
  }

  /** Everything is compacted, twice with the tombstones' time between: only live keys are left. */
  async finish(): Promise<void> {
    const { model, world } = this;
    await this.settle();
    this.append({
      kind: "append",
      records: [{ key: 9, isTombstone: false }],
      codec: 0,
      roll: true,
      bump: false,
      producer: -1,
    });
    while (this.log.writtenOffset < this.log.endOffset) await this.order.step();
    for (let pass = 0; pass < 2; pass += 1) {
      await this.compact({ wait: true, mapKeys: 10_000, back: 0 });
      world.clock.nowMs += rules.deleteRetentionMs;
      await this.check();
    }
    const sealed = this.log.segments.at(-1)?.baseOffset ?? 0;
    expect(this.log.compactedTo).toBe(sealed);
    const live = new Map<string, string | null>();
    for (const each of model.records) {
      if (each.offset < sealed && each.offset >= this.log.startOffset) live.set(each.key, each.value);
    }
    const stored = recordsOf(await this.order.until(storedBytes(this.log)), this.log.startOffset);
    const left = stored.filter(({ offset }) => offset < sealed).map(({ key }) => String(key));
    expect(left.sort()).toEqual([...live].flatMap(([key, value]) => (value === null ? [] : [key])).sort());
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.open();
    for (const each of steps) {
      switch (each.kind) {
        case "append":
          this.append(each);
          break;
        case "turns":
          for (let left = each.count; left > 0; left -= 1) await this.order.step();
          break;
        case "sync":
          await this.begin(this.log.sync(), each.wait);
          break;
        case "compact":
          await this.compact(each);
          if (each.wait) await this.check();
          break;
        case "advance":
          this.world.clock.nowMs += each.ms;
          break;
        case "truncate":
          await this.truncate(each.back);
          break;
        case "raise": {
          const start = Math.min(this.log.startOffset + each.forward, this.model.settled, this.log.endOffset);
          await this.begin(this.log.raiseStart(start), true);
          this.model.start = this.log.startOffset;
          break;
        }
        case "reopen":
          await this.reopen(each.clean);
          break;
        case "crash":
          await this.crash(each.keepUnsynced, each.torn);
          break;
        default:
          each satisfies never;
      }
    }
    await this.finish();
  }
}

/** More histories, or others: `LOG_CRASH_RUNS=40000 LOG_CRASH_SEED=7 npx vitest run --project unit compaction-crash`. */
const runs = Number(process.env["LOG_CRASH_RUNS"] ?? 300);
const firstSeed = Number(process.env["LOG_CRASH_SEED"] ?? 1);

test("after any history of appends, passes and crashes every live key has its newest value, and no other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), fc.integer({ min: 0 }), async (steps, seed) => {
      await new History(seed).run(steps);
    }),
    { numRuns: runs, seed: firstSeed },
  );
});

test.each(["all", "none", "random"] as const)("a crash (%s) after each disk operation of two passes", async (keep) => {
  const history = async (operations: number): Promise<boolean> => {
    const one = new History(operations);
    await one.open();
    const appended = (keys: readonly number[], isTombstone: boolean) =>
      one.append({
        kind: "append",
        records: keys.map((key) => ({ key, isTombstone })),
        codec: 0,
        roll: true,
        bump: false,
        producer: keys.length % 2,
      });
    for (const keys of [[1, 2], [1, 3, 4], [2, 3], [5, 1], [2]]) appended(keys, false);
    appended([3, 4], true);
    appended([1], false);
    while (one.log.writtenOffset < one.log.endOffset) await one.order.step();
    let isOver = false;
    const passes = (async () => {
      await one.compact({ wait: false, mapKeys: 100, back: 0 });
      await one.settle();
      one.world.clock.nowMs += 1_000;
      await one.compact({ wait: false, mapKeys: 100, back: 0 });
      await one.settle();
      isOver = true;
    })();
    for (let left = operations; left > 0 && !isOver; left -= 1) await one.order.step();
    const wasOver = isOver;
    await one.crash(keep, true);
    await one.finish();
    if (wasOver) await passes;
    return wasOver;
  };
  let operations = 0;
  while (!(await history(operations))) operations += 1;
  expect(operations).toBeGreaterThan(25);
});
