/**
 * How long a log takes to be compacted, what memory that costs, and what producers feel of it meanwhile. Loads a compacted
 * topic while nothing is due, then lets it be compacted and watches the sizes that DescribeLogDirs tells. Starts a cloud of
 * its own, or goes to any cluster that speaks the protocol without credentials.
 *
 *   npx node bench/compaction/run.ts [--mib TOTAL] [--live SHARE] [--record BYTES] [--replicas N]
 *     [--set CONFIG=VALUE]… [--bootstrap HOST:PORT] [--pids PID,PID,…]
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { encodeBatch } from "../../shared/kafka/records/record.ts";
import { createTopics } from "../../shared/kafka/schema/create-topics.ts";
import { type DescribeLogDirsResponse, describeLogDirs } from "../../shared/kafka/schema/describe-log-dirs.ts";
import { configOperations, incrementalAlterConfigs } from "../../shared/kafka/schema/incremental-alter-configs.ts";
import { type MetadataResponse, metadata } from "../../shared/kafka/schema/metadata.ts";
import { type ProduceResponse, produce } from "../../shared/kafka/schema/produce.ts";
import { type BenchCloud, startCloud } from "../cloud.ts";
import { KafkaConnection } from "../kafka-connection.ts";
import { cpuSeconds, memoryMib } from "../processes.ts";

const versions = { createTopics: 5, metadata: 9, produce: 9, describeLogDirs: 1, incrementalAlterConfigs: 1 } as const;
const topic = "compacted";
const steadyTopic = "steady";
const mebibyte = 1024 * 1024;
const batchBytes = 256 * 1024;
const loadInflight = 4;
const steadyIntervalMs = 5;
/** A broker of Kafka's serves one request of a connection at a time: with one, it would be the connection that is measured. */
const steadyConnections = 8;
const baselineMs = 10_000;
const lookMs = 200;
/** Sizes that stay so long are those of a log that is done. */
const quietMs = 3_000;
const waitMsMax = 600_000;
const topicResource = 2;
const retriesMax = 100;

interface Plan {
  readonly totalBytes: number;
  readonly live: number;
  readonly recordBytes: number;
  readonly replicas: number;
  readonly bootstrap: string | undefined;
  readonly pids: readonly number[];
  /** Arguments of `npm start`. */
  readonly settings: readonly string[];
}

function readPlan(): Plan {
  const text = { type: "string" } as const;
  const options = { mib: text, live: text, record: text, replicas: text, bootstrap: text, pids: text };
  const set = { type: "string", multiple: true } as const;
  const { values } = parseArgs({ options: { ...options, set } });
  return {
    totalBytes: Number(values.mib ?? 1024) * mebibyte,
    live: Number(values.live ?? 0.1),
    recordBytes: Number(values.record ?? 1024),
    replicas: Number(values.replicas ?? 3),
    bootstrap: values.bootstrap,
    pids: (values.pids ?? "").split(",").filter(Boolean).map(Number),
    settings: (values.set ?? []).flatMap((setting) => ["--set", setting]),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const percentile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;

/** The cluster: a connection to each broker, and the leaders of the two topics. */
class Cluster {
  readonly #connections = new Map<string, KafkaConnection>();
  readonly #first: KafkaConnection;

  private constructor(first: KafkaConnection) {
    this.#first = first;
  }

  static async open(bootstrap: string): Promise<Cluster> {
    return new Cluster(await KafkaConnection.open(bootstrap));
  }

  async createTopic(name: string, replicas: number, configs: Readonly<Record<string, string>>): Promise<void> {
    const entries = Object.entries(configs).map(([config, value]) => ({ name: config, value }));
    const wanted = { name, numPartitions: 1, replicationFactor: replicas, assignments: [], configs: entries };
    await this.#first.call(createTopics, versions.createTopics, {
      topics: [wanted],
      timeoutMs: 30_000,
      validateOnly: false,
    });
    while ((await this.#leader(name)) === undefined) await pause(lookMs);
  }

  async setConfigs(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const entries = Object.entries(configs).map(([config, value]) => ({
      name: config,
      configOperation: configOperations.set,
      value,
    }));
    const resource = { resourceType: topicResource, resourceName: name, configs: entries };
    const request = { resources: [resource], validateOnly: false };
    await this.#first.call(incrementalAlterConfigs, versions.incrementalAlterConfigs, request);
  }

  async leader(name: string): Promise<KafkaConnection> {
    return this.#connection((await this.#leader(name)) ?? "");
  }

  /** Connections of their own to the leader. */
  async linksToLeader(name: string, count: number): Promise<readonly KafkaConnection[]> {
    const address = (await this.#leader(name)) ?? "";
    return Promise.all(Array.from({ length: count }, () => KafkaConnection.open(address)));
  }

  /** Bytes of the topic on each broker that has it. */
  async sizes(name: string): Promise<readonly number[]> {
    const { brokers } = await this.#metadata([]);
    const sizes: number[] = [];
    for (const { host, port } of brokers) {
      const connection = await this.#connection(`${host}:${port}`);
      const request = { topics: [{ topic: name, partitions: [0] }] };
      const { results } = await connection.call<DescribeLogDirsResponse>(
        describeLogDirs,
        versions.describeLogDirs,
        request,
      );
      for (const { topics } of results)
        for (const { partitions } of topics) sizes.push(Number(partitions[0]?.partitionSize));
    }
    return sizes;
  }

  close(): void {
    this.#first.close();
    for (const connection of this.#connections.values()) connection.close();
  }

  async #leader(name: string): Promise<string | undefined> {
    const { topics, brokers } = await this.#metadata([name]);
    const leader = brokers.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leaderId);
    return leader === undefined ? undefined : `${leader.host}:${leader.port}`;
  }

  #metadata(names: readonly string[]): Promise<MetadataResponse> {
    const request = { topics: names.map((name) => ({ name })) };
    return this.#first.call<MetadataResponse>(metadata, versions.metadata, request);
  }

  async #connection(address: string): Promise<KafkaConnection> {
    const known = this.#connections.get(address) ?? (await KafkaConnection.open(address));
    this.#connections.set(address, known);
    return known;
  }
}

/** Sends until it is taken: under load a cluster may have too few replicas in sync for a moment. */
async function sendLastingly(connection: KafkaConnection, name: string, records: Buffer): Promise<void> {
  for (let left = retriesMax; ; left -= 1) {
    try {
      return await send(connection, name, records);
    } catch (error) {
      if (left === 0) throw error;
      await pause(lookMs);
    }
  }
}

async function send(connection: KafkaConnection, name: string, records: Buffer): Promise<void> {
  const answer = await connection.call<ProduceResponse>(produce, versions.produce, {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  });
  const code = answer.responses[0]?.partitionResponses[0]?.errorCode;
  if (code !== 0) throw new Error(`produce to ${name} answered error ${code}`);
}

/** Every key about equally often, in an order that has no pattern; values that no codec makes smaller. */
async function load(cluster: Cluster, plan: Plan): Promise<{ readonly records: number; readonly keys: number }> {
  const connection = await cluster.leader(topic);
  const noise = randomBytes(16 * mebibyte);
  const total = Math.floor(plan.totalBytes / plan.recordBytes);
  const keys = Math.max(1, Math.floor(total * plan.live));
  const perBatch = Math.max(1, Math.floor(batchBytes / plan.recordBytes));
  let sent = 0;
  let state = 1;
  const record = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = state % (noise.length - plan.recordBytes);
    return {
      timestampMs: Date.now(),
      key: Buffer.from(`key-${String(state % keys).padStart(12, "0")}`),
      value: noise.subarray(at, at + plan.recordBytes),
    };
  };
  const writer = async (): Promise<void> => {
    while (sent < total) {
      const count = Math.min(perBatch, total - sent);
      sent += count;
      await sendLastingly(connection, topic, encodeBatch({ records: Array.from({ length: count }, record) }));
    }
  };
  await Promise.all(Array.from({ length: loadInflight }, writer));
  return { records: total, keys };
}

/** One record every few milliseconds, acks=all, whether or not the one before was answered. */
class SteadyProducer {
  latencies: number[] = [];
  refused = 0;
  readonly #links: readonly KafkaConnection[];
  readonly #records = encodeBatch({ records: [{ value: randomBytes(1024) }] });
  readonly #timer: NodeJS.Timeout;
  #next = 0;

  constructor(links: readonly KafkaConnection[]) {
    this.#links = links;
    this.#timer = setInterval(() => void this.#send(), steadyIntervalMs);
  }

  /** Latencies since the last call, in words. */
  take(): string {
    const sorted = this.latencies.sort((a, b) => a - b);
    this.latencies = [];
    const [p50, p99, max] = [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1) ?? 0];
    const refused = this.refused > 0 ? `, ${this.refused} refused` : "";
    this.refused = 0;
    return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(0)} ms of ${sorted.length}${refused}`;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const link of this.#links) link.close();
  }

  async #send(): Promise<void> {
    const startMs = performance.now();
    const link = this.#links[this.#next++ % this.#links.length] as KafkaConnection;
    try {
      await send(link, steadyTopic, this.#records);
      this.latencies.push(performance.now() - startMs);
    } catch {
      this.refused += 1;
    }
  }
}

/** Waits until every replica has come down to what is alive, and stays so; answers when the last one shrank, and the peaks. */
async function watchSizes(
  cluster: Cluster,
  plan: Plan,
): Promise<{ readonly doneMs: number; readonly peaks: number[] }> {
  const target = plan.totalBytes * plan.live * 1.5;
  const startMs = performance.now();
  let lastChangeMs = startMs;
  let before = "";
  const peaks = memoryMib(plan.pids);
  for (;;) {
    await pause(lookMs);
    for (const [index, mib] of memoryMib(plan.pids).entries()) peaks[index] = Math.max(peaks[index] ?? 0, mib);
    const sizes = await cluster.sizes(topic);
    const now = sizes.join(" ");
    if (now !== before) lastChangeMs = performance.now();
    before = now;
    const isDone = sizes.every((size) => size < target) && performance.now() - lastChangeMs > quietMs;
    if (isDone) return { doneMs: lastChangeMs - startMs, peaks };
    if (performance.now() - startMs > waitMsMax) throw new Error(`not compacted: ${now} bytes`);
  }
}

async function measure(cluster: Cluster, plan: Plan): Promise<void> {
  await cluster.createTopic(steadyTopic, plan.replicas, {});
  // Nothing is due before the whole is there.
  await cluster.createTopic(topic, plan.replicas, {
    "cleanup.policy": "compact",
    "segment.bytes": String(64 * mebibyte),
    "min.cleanable.dirty.ratio": "1",
  });
  const { records, keys } = await load(cluster, plan);
  const loaded = await cluster.sizes(topic);
  console.log(`${records} records of ${plan.recordBytes} bytes, ${keys} keys: ${loaded.join(" ")} bytes`);
  const steady = new SteadyProducer(await cluster.linksToLeader(steadyTopic, steadyConnections));
  const cpuAtStart = cpuSeconds(plan.pids);
  await pause(baselineMs);
  console.log(`producer before: ${steady.take()}`);
  const memory = memoryMib(plan.pids);
  const cpu = cpuSeconds(plan.pids);
  const idleCpu = (cpu - cpuAtStart) / baselineMs;
  const startMs = performance.now();
  await cluster.setConfigs(topic, { "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000" });
  await pause(1_000);
  await sendLastingly(await cluster.leader(topic), topic, encodeBatch({ records: [{ key: Buffer.from("last") }] }));
  const { doneMs, peaks } = await watchSizes(cluster, plan);
  console.log(`producer meanwhile: ${steady.take()}`);
  steady.stop();
  const sizes = await cluster.sizes(topic);
  console.log(`compacted after ${(doneMs / 1_000).toFixed(1)} s, what the broker waits before it begins included`);
  console.log(`left: ${sizes.join(" ")} bytes`);
  if (plan.pids.length === 0) return;
  const grown = peaks.map((peak, index) => `${Math.round(peak - (memory[index] ?? 0))}`);
  console.log(`memory of the brokers: ${memory.map(Math.round).join(" ")} MiB, grew by at most ${grown.join(" ")} MiB`);
  const tookCpu = cpuSeconds(plan.pids) - cpu - idleCpu * (performance.now() - startMs);
  console.log(`their processor time, beyond what the producer costs: ${tookCpu.toFixed(1)} s`);
}

async function main(): Promise<void> {
  const plan = readPlan();
  const cloud: BenchCloud | undefined = plan.bootstrap === undefined ? await startCloud(plan.settings) : undefined;
  const pids = cloud === undefined ? plan.pids : [1, 2, 3].map((broker) => cloud.pidOf(broker));
  const cluster = await Cluster.open(plan.bootstrap ?? cloud?.bootstrap[0] ?? "");
  try {
    await measure(cluster, { ...plan, pids });
  } finally {
    cluster.close();
    await cloud?.end();
  }
}

await main();
