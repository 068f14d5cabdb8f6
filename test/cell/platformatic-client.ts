import {
  Admin,
  type BaseOptions,
  Consumer,
  ListOffsetTimestamps,
  ProduceAcks,
  Producer,
  stringSerializers,
} from "@platformatic/kafka";
import {
  type ClientLibrary,
  type ConnectionSettings,
  emptyFetchesMax,
  fetchBytesMax,
  fetchWaitMs,
  lastingly,
  lookUpAs,
  type Patience,
  refusalMsMax,
  type TestClient,
  type TestProducer,
  type TestRecord,
} from "./test-client.ts";

export const platformatic: ClientLibrary = {
  name: "@platformatic/kafka",
  connect: (settings, clientId, patience = "lasting") => new PlatformaticClient(settings, clientId, patience),
};

class PlatformaticClient implements TestClient {
  readonly name = "@platformatic/kafka";
  readonly #options: BaseOptions;
  readonly #admin: Admin;
  /** Never joins its group: only fetches. */
  readonly #reader: Consumer;

  constructor(settings: ConnectionSettings, clientId: string, patience: Patience) {
    const { secure } = settings;
    this.#options = {
      clientId,
      bootstrapBrokers: [...settings.bootstrap],
      retries: patience === "none" ? 0 : 40,
      autocreateTopics: true,
      retryDelay: 100,
      ...(patience === "none" ? { connectTimeout: refusalMsMax } : {}),
      ...(secure === undefined
        ? {}
        : {
            tls: {
              ca: [secure.authority],
              ...(secure.throughRouter === undefined ? {} : { lookup: lookUpAs(secure.throughRouter) }),
            },
            // This client names the server only when told to.
            ...(secure.throughRouter === undefined ? {} : { tlsServerName: true }),
            sasl: { mechanism: "PLAIN", username: secure.username, password: secure.password },
          }),
    };
    this.#admin = new Admin(this.#options);
    this.#reader = new Consumer({ ...this.#options, groupId: "unused" });
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.#admin.createTopics({ topics: [topic], partitions });
  }

  topics(): Promise<readonly string[]> {
    return this.#admin.listTopics();
  }

  async leaders(topic: string): Promise<readonly number[]> {
    const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
    return metadata.topics.get(topic)?.partitions.map(({ leader }) => leader) ?? [];
  }

  producer(options: { readonly idempotent: boolean }): Promise<TestProducer> {
    const producer = new Producer({ ...this.#options, serializers: stringSerializers, idempotent: options.idempotent });
    return Promise.resolve({
      send: async (topic, values, partition) => {
        const messages = values.map((value) => ({ topic, value, ...(partition === undefined ? {} : { partition }) }));
        await producer.send({ messages, acks: ProduceAcks.ALL });
      },
      close: () => producer.close(),
    });
  }

  async readAll(topic: string, partition: number): Promise<readonly TestRecord[]> {
    const low = await lastingly(() => this.#offset(topic, partition, ListOffsetTimestamps.EARLIEST));
    const end = await lastingly(() => this.#offset(topic, partition, ListOffsetTimestamps.LATEST));
    const records: TestRecord[] = [];
    let next = low;
    for (let empty = 0; next < end && empty < emptyFetchesMax; empty++) {
      for (const record of await lastingly(() => this.#fetch(topic, partition, next))) {
        if (record.offset < next) continue;
        records.push({ offset: Number(record.offset), value: record.value });
        next = record.offset + 1n;
        empty = 0;
      }
    }
    return records;
  }

  async close(): Promise<void> {
    await this.#admin.close();
    await this.#reader.close();
  }

  async #offset(topic: string, partition: number, timestamp: bigint): Promise<bigint> {
    const offsets = await this.#reader.listOffsets({
      topics: [topic],
      partitions: { [topic]: [partition] },
      timestamp,
    });
    return offsets.get(topic)?.[partition] ?? 0n;
  }

  async #fetch(topic: string, partition: number, fetchOffset: bigint) {
    const metadata = await this.#reader.metadata({ topics: [topic], forceUpdate: true });
    const found = metadata.topics.get(topic);
    const leader = found?.partitions[partition]?.leader ?? -1;
    const wanted = {
      partition,
      fetchOffset,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: fetchBytesMax,
    };
    const answer = await this.#reader.fetch({
      node: leader,
      maxWaitTime: fetchWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: [{ topicId: found?.id ?? "", partitions: [wanted] }],
    });
    const batches = answer.responses[0]?.partitions[0]?.records ?? [];
    return batches.flatMap((batch) =>
      batch.records.map(({ offsetDelta, value }) => ({
        offset: batch.firstOffset + BigInt(offsetDelta),
        value: String(value),
      })),
    );
  }
}
