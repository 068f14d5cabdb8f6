/**
 * Compacted topics as real clients see them: what they produce with keys comes down to the newest value of each key, every
 * library reads it from the beginning, and none stops or runs in circles where a batch has no records.
 */
import { appendFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { Admin, Consumer, ProduceAcks, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFiller } from "../../broker/log/empty-batches.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";
import { until } from "./until.ts";

interface Keyed {
  readonly key: string;
  readonly value: string | null;
}

interface Read extends Keyed {
  readonly offset: number;
}

/** One library: its own producer, and its own consumer in a group, from the beginning. */
interface Library {
  readonly name: string;
  /** `segment.ms` is short: each call makes a segment at least. */
  produce(topic: string, records: readonly Keyed[]): Promise<void>;
  produceWithoutKey(topic: string): Promise<void>;
  /** Reads until the record at the last offset came; the test's time is the bound. */
  readTo(topic: string, lastOffset: number): Promise<readonly Read[]>;
  close(): Promise<void>;
}

const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
const rounds = 8;
const segmentMs = 100;
const configs = [
  { name: "cleanup.policy", value: "compact" },
  { name: "segment.ms", value: String(segmentMs) },
  { name: "min.cleanable.dirty.ratio", value: "0.01" },
  { name: "delete.retention.ms", value: "100" },
];

let cloud: LocalCloudProcess;
const libraries: Library[] = [];

beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--set", "log.cleaner.backoff.ms=200"]);
});
afterAll(async () => {
  for (const library of libraries) await library.close();
  await cloud.dispose();
});

const kafka = () =>
  new Kafka({ brokers: [...cloud.plaintext.bootstrap], logLevel: logLevel.NOTHING, clientId: "test" });
let groups = 0;
const newGroup = () => `group-${++groups}`;

async function kafkajs(codec: number): Promise<Library> {
  const client = kafka();
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  return {
    name: "kafkajs",
    produce: async (topic, records) => {
      await producer.send({ topic, acks: -1, compression: codec, messages: records.map((record) => ({ ...record })) });
    },
    produceWithoutKey: async (topic) => {
      await producer.send({ topic, acks: -1, messages: [{ value: "nothing" }] });
    },
    readTo: async (topic, lastOffset) => {
      const consumer = client.consumer({ groupId: newGroup(), maxWaitTimeInMs: 100 });
      const read: Read[] = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => (payload.restart ? undefined : reject(payload.error)));
        const eachMessage = ({
          message,
        }: {
          message: { offset: string; key: Buffer | null; value: Buffer | null };
        }) => {
          const value = message.value === null ? null : String(message.value);
          read.push({ offset: Number(message.offset), key: String(message.key), value });
          if (Number(message.offset) >= lastOffset) resolve();
          return Promise.resolve();
        };
        consumer.run({ eachMessage }).catch(reject);
      });
      await consumer.disconnect();
      return read;
    },
    close: () => producer.disconnect(),
  };
}

function platformatic(): Promise<Library> {
  const options = { clientId: "test", bootstrapBrokers: [...cloud.plaintext.bootstrap], retries: 40, retryDelay: 100 };
  const producer = new Producer({ ...options, serializers: stringSerializers, idempotent: true });
  return Promise.resolve({
    name: "@platformatic/kafka",
    produce: async (topic, records) => {
      const messages = records.map(({ key, value }) => ({ topic, key, ...(value === null ? {} : { value }) }));
      await producer.send({ messages, acks: ProduceAcks.ALL });
    },
    produceWithoutKey: async (topic) => {
      await producer.send({ messages: [{ topic, value: "nothing" }], acks: ProduceAcks.ALL });
    },
    readTo: async (topic, lastOffset) => {
      const groupId = newGroup();
      const consumer = new Consumer({ ...options, groupId, maxWaitTime: 100, deserializers: stringDeserializers });
      const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: true });
      const read: Read[] = [];
      for await (const { offset, key, value } of stream) {
        read.push({ offset: Number(offset), key: String(key), value: typeof value === "string" ? value : null });
        if (Number(offset) >= lastOffset) break;
      }
      await consumer.close(true);
      return read;
    },
    close: () => producer.close(),
  });
}

async function makeTopic(topic: string): Promise<void> {
  const admin = kafka().admin();
  await admin.connect();
  const configEntries = configs.map((config) => ({ ...config }));
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
  await admin.disconnect();
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rounds over all keys, a tombstone, and a record that seals what was before it; answers the last offset. */
async function fill(library: Library, topic: string): Promise<number> {
  for (let round = 1; round <= rounds; round += 1) {
    await library.produce(
      topic,
      keys.map((key) => ({ key, value: `${key} in round ${round}` })),
    );
    await pause(segmentMs + 20);
  }
  await library.produce(topic, [{ key: "key-0", value: null }]);
  await pause(segmentMs + 20);
  await library.produce(topic, [{ key: "last", value: "last" }]);
  return rounds * keys.length + 1;
}

function judge(read: readonly Read[]): void {
  const offsets = read.map(({ offset }) => offset);
  expect(offsets).toEqual([...offsets].sort((left, right) => left - right));
  const newest = new Map(read.map(({ key, value }) => [key, value]));
  expect(newest.get("key-0") ?? null).toBe(null);
  for (const key of keys.slice(1)) expect(newest.get(key)).toBe(`${key} in round ${rounds}`);
  expect(newest.get("last")).toBe("last");
}

/** A log whose last batch is a filler, as one may be after a failover: put behind the last record of every replica. */
async function endInFiller(topicId: string, baseOffset: number, epoch: number): Promise<void> {
  await cloud.end();
  for (const broker of readdirSync(path.join(cloud.dataDirectory, "brokers"))) {
    const folder = path.join(cloud.dataDirectory, "brokers", broker, "data", "topics", `${topicId}-0`);
    const newest = readdirSync(folder).findLast((name) => name.endsWith(".log"));
    if (newest === undefined) throw new Error(`${folder} has no segment`);
    appendFileSync(path.join(folder, newest), encodeFiller({ baseOffset, endOffset: baseOffset + 10, epoch }));
  }
  await cloud.launch();
}

describe("a compacted topic", () => {
  test("comes down to the newest value of each key, for every library, and goes on after a restart", async () => {
    const made = [await kafkajs(1), await platformatic()];
    libraries.push(...made);
    const topics = made.map((_, index) => `compacted-${index}`);
    const ends: number[] = [];
    for (const [index, library] of made.entries()) {
      const topic = topics[index] as string;
      await makeTopic(topic);
      await expect(library.produceWithoutKey(topic)).rejects.toBeInstanceOf(Error);
      ends.push(await fill(library, topic));
    }
    for (const [index, topic] of topics.entries()) {
      const end = ends[index] as number;
      for (;;) {
        const read = await (made[0] as Library).readTo(topic, end);
        judge(read);
        // Of all rounds one is left, and the record that sealed it; in the end the tombstone goes as well.
        if (read.length === keys.length) break;
        await pause(1_000);
      }
      for (const library of made) {
        // Each replica is compacted by its own broker: one that leads since a moment ago may have some of it before it.
        await until(async () => {
          const read = await library.readTo(topic, end);
          judge(read);
          return read.length === keys.length;
        }, 120_000);
      }
    }
    for (const id of [1, 2, 3]) {
      const compacted = /balafon_compaction_runs_total\{outcome="done"\} [1-9]/;
      await until(async () => compacted.test(await cloud.metrics(id)), 60_000);
    }
  });

  test("that ends in a batch without records is read to its end, and on from there", async () => {
    const platform = new Admin({ clientId: "test", bootstrapBrokers: [...cloud.plaintext.bootstrap] });
    const { topics } = await platform.metadata({ topics: ["compacted-0"], forceUpdate: true });
    const found = topics.get("compacted-0");
    await platform.close();
    const topicId = (found?.id ?? "").replaceAll("-", "");
    const last = rounds * keys.length + 1;
    for (const library of libraries.splice(0)) await library.close();
    await endInFiller(topicId, last + 1, found?.partitions[0]?.leaderEpoch ?? 0);
    libraries.push(await kafkajs(0), await platformatic());
    for (const library of libraries) {
      const reading = library.readTo("compacted-0", last + 11);
      await pause(500);
      await (libraries[0] as Library).produce("compacted-0", [{ key: "after", value: library.name }]);
      const read = await reading;
      judge(read);
      expect(read.at(-1)).toMatchObject({ key: "after" });
    }
  });
});
