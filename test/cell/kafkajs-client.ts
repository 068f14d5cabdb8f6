import { createRequire } from "node:module";
import { type Admin, Kafka, type KafkaConfig, logLevel } from "kafkajs";
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

export const kafkajs: ClientLibrary = {
  name: "kafkajs",
  connect: (settings, clientId, patience = "lasting") => new KafkajsClient(settings, clientId, patience),
};

interface FetchedPartition {
  readonly errorCode: number;
  readonly messages: readonly { readonly offset: string; readonly value: Buffer }[];
}

interface InternalBroker {
  fetch(
    request: unknown,
  ): Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>;
}

/** kafkajs reads only through consumer groups; its own cluster class below them does not. */
interface InternalCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(node: { readonly nodeId: string }): Promise<InternalBroker>;
}

type InternalClusterClass = new (options: unknown) => InternalCluster;
const requireCommonJs = createRequire(import.meta.url);
const Cluster = requireCommonJs("kafkajs/src/cluster/index.js") as InternalClusterClass;
const socketFactory = (requireCommonJs("kafkajs/src/network/socketFactory.js") as () => unknown)();
const { createLogger, LEVELS } = requireCommonJs("kafkajs/src/loggers/index.js") as {
  readonly createLogger: (options: unknown) => unknown;
  readonly LEVELS: { readonly NOTHING: number };
};
const silentLogCreator = () => () => undefined;

class KafkajsClient implements TestClient {
  readonly name = "kafkajs";
  readonly #config: KafkaConfig;
  readonly #kafka: Kafka;
  #admin: Promise<Admin> | undefined;
  #cluster: Promise<InternalCluster> | undefined;

  constructor(settings: ConnectionSettings, clientId: string, patience: Patience) {
    const { secure } = settings;
    this.#config = {
      clientId,
      brokers: [...settings.bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: patience === "none" ? 0 : 40 },
      ...(patience === "none" ? { connectionTimeout: refusalMsMax, authenticationTimeout: refusalMsMax } : {}),
      ...(secure === undefined
        ? {}
        : {
            // kafkajs hands these on to the socket; its types know only those of TLS.
            ssl: {
              ca: [secure.authority],
              ...(secure.throughRouter === undefined ? {} : { lookup: lookUpAs(secure.throughRouter) }),
            } as object,
            sasl: { mechanism: "plain", username: secure.username, password: secure.password },
          }),
    };
    this.#kafka = new Kafka(this.#config);
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    const admin = await this.#connectedAdmin();
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  }

  async topics(): Promise<readonly string[]> {
    return (await this.#connectedAdmin()).listTopics();
  }

  async leaders(topic: string): Promise<readonly number[]> {
    const { topics } = await (await this.#connectedAdmin()).fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions ?? [];
    return partitions.toSorted((left, right) => left.partitionId - right.partitionId).map(({ leader }) => leader);
  }

  async producer(options: { readonly idempotent: boolean }): Promise<TestProducer> {
    const producer = this.#kafka.producer({
      idempotent: options.idempotent,
      ...(options.idempotent ? { maxInFlightRequests: 1 } : {}),
    });
    await producer.connect();
    return {
      send: async (topic, values, partition) => {
        const messages = values.map((value) => ({ value, ...(partition === undefined ? {} : { partition }) }));
        await producer.send({ topic, acks: -1, messages });
      },
      close: () => producer.disconnect(),
    };
  }

  async readAll(topic: string, partition: number): Promise<readonly TestRecord[]> {
    const admin = await this.#connectedAdmin();
    // kafkajs itself does not try again when a leader is just being elected.
    const offsets = await lastingly(() => admin.fetchTopicOffsets(topic));
    const range = offsets.find((each) => each.partition === partition);
    const end = Number(range?.high ?? 0);
    const records: TestRecord[] = [];
    let next = Number(range?.low ?? 0);
    for (let empty = 0; next < end && empty < emptyFetchesMax; empty++) {
      const fetched = await lastingly(() => this.#fetch(topic, partition, next));
      for (const { offset, value } of fetched) {
        // A batch is handed out whole, from before the offset asked for as well.
        if (Number(offset) < next) continue;
        records.push({ offset: Number(offset), value: value.toString() });
        next = Number(offset) + 1;
        empty = 0;
      }
    }
    return records;
  }

  async close(): Promise<void> {
    await (await this.#admin)?.disconnect();
    await (await this.#cluster)?.disconnect();
  }

  async #fetch(topic: string, partition: number, fetchOffset: number) {
    this.#cluster ??= this.#connectCluster().catch((error: unknown) => {
      this.#cluster = undefined;
      throw error;
    });
    const cluster = await this.#cluster;
    await cluster.addTargetTopic(topic);
    // The leader may be another one than a moment ago.
    await cluster.refreshMetadata();
    const [nodeId = ""] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    const broker = await cluster.findBroker({ nodeId });
    const partitions = [{ partition, fetchOffset: String(fetchOffset), maxBytes: fetchBytesMax }];
    const answer = await broker.fetch({
      replicaId: -1,
      isolationLevel: 1,
      maxWaitTime: fetchWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: [{ topic, partitions }],
    });
    return answer.responses[0]?.partitions[0]?.messages ?? [];
  }

  async #connectCluster(): Promise<InternalCluster> {
    const logger = createLogger({ level: LEVELS.NOTHING, logCreator: silentLogCreator });
    const cluster = new Cluster({
      ...this.#config,
      brokers: () => this.#config.brokers,
      connectionTimeout: 5_000,
      logger,
      socketFactory,
      metadataMaxAge: 0,
    });
    await cluster.connect();
    return cluster;
  }

  #connectedAdmin(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })();
    return this.#admin;
  }
}
