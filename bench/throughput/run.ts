/**
 * Produce and fetch at full speed, one connection a leader, batches of a given size made once: the cost of the brokers, with
 * as little client as possible. Starts a cloud of its own and ends it.
 *
 *   npx node bench/throughput/run.ts [--batch BYTES] [--mib TOTAL] [--inflight REQUESTS] [--partitions N]
 */
import { parseArgs } from "node:util";
import { encodeBatch } from "../../shared/kafka/records/record.ts";
import { createTopics } from "../../shared/kafka/schema/create-topics.ts";
import { type FetchResponse, fetch } from "../../shared/kafka/schema/fetch.ts";
import { type MetadataResponse, metadata } from "../../shared/kafka/schema/metadata.ts";
import { type ProduceResponse, produce } from "../../shared/kafka/schema/produce.ts";
import { type BenchCloud, startCloud } from "../cloud.ts";
import { KafkaConnection } from "../kafka-connection.ts";
import { cpuSeconds, memoryMib } from "../processes.ts";

const versions = { createTopics: 5, metadata: 9, produce: 9, fetch: 12 } as const;
const topic = "throughput";
const recordBytes = 1_024;
const mebibyte = 1024 * 1024;
const brokers = [1, 2, 3];

interface Plan {
  readonly batchBytes: number;
  readonly totalBytes: number;
  readonly inflight: number;
  readonly partitions: number;
}

function readPlan(): Plan {
  const number = { type: "string" } as const;
  const { values } = parseArgs({ options: { batch: number, mib: number, inflight: number, partitions: number } });
  return {
    batchBytes: Number(values.batch ?? 256 * 1024),
    totalBytes: Number(values.mib ?? 512) * mebibyte,
    inflight: Number(values.inflight ?? 5),
    partitions: Number(values.partitions ?? 6),
  };
}

async function measured(name: string, cloud: BenchCloud, run: () => Promise<number>): Promise<void> {
  const pids = brokers.map((broker) => cloud.pidOf(broker));
  const before = cpuSeconds(pids);
  const startMs = performance.now();
  const bytes = await run();
  const seconds = (performance.now() - startMs) / 1_000;
  const cpuPerGib = (cpuSeconds(pids) - before) / (bytes / (1024 * mebibyte));
  const speed = (bytes / mebibyte / seconds).toFixed(1);
  console.log(
    `${name}: ${speed} MiB/s, ${cpuPerGib.toFixed(2)} broker CPU-s/GiB, memory ${memoryMib(pids).join(" ")} MiB`,
  );
}

/** Leader's address of each partition. */
async function leadersOf(connection: KafkaConnection): Promise<string[]> {
  const found = await connection.call<MetadataResponse>(metadata, versions.metadata, { topics: [{ name: topic }] });
  const addresses = new Map(found.brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
  const partitions = found.topics[0]?.partitions ?? [];
  return partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId }) => addresses.get(leaderId) ?? "");
}

async function produceAll(plan: Plan, connectionOf: (partition: number) => KafkaConnection): Promise<number> {
  const value = Buffer.alloc(recordBytes, "x");
  const count = Math.max(1, Math.floor(plan.batchBytes / recordBytes));
  const records = Array.from({ length: count }, () => ({ timestampMs: Date.now(), value }));
  const batch = encodeBatch({ records });
  const latencies: number[] = [];
  let sent = 0;
  const writer = async (partition: number) => {
    while (sent < plan.totalBytes) {
      sent += batch.length;
      const startMs = performance.now();
      const answer = await connectionOf(partition).call<ProduceResponse>(produce, versions.produce, {
        acks: -1,
        timeoutMs: 30_000,
        topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
      });
      const code = answer.responses[0]?.partitionResponses[0]?.errorCode;
      if (code !== 0) throw new Error(`produce answered error ${code}`);
      latencies.push(performance.now() - startMs);
    }
  };
  const partitions = Array.from({ length: plan.partitions }, (_, partition) => partition);
  await Promise.all(partitions.flatMap((partition) => Array.from({ length: plan.inflight }, () => writer(partition))));
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)]?.toFixed(1);
  console.log(`produce latency: p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms of ${latencies.length} requests`);
  return sent;
}

async function fetchAll(plan: Plan, connectionOf: (partition: number) => KafkaConnection): Promise<number> {
  let bytes = 0;
  const reader = async (partition: number) => {
    for (let offset = 0; ; ) {
      const answer = await connectionOf(partition).call<FetchResponse>(fetch, versions.fetch, {
        maxWaitMs: 500,
        minBytes: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: mebibyte }] }],
      });
      const records = answer.responses[0]?.partitions[0]?.records;
      if (!Buffer.isBuffer(records) || records.length === 0) return;
      bytes += records.length;
      offset = endOffsetOf(records);
    }
  };
  await Promise.all(Array.from({ length: plan.partitions }, (_, partition) => reader(partition)));
  return bytes;
}

/** One past the last offset of whole batches. */
function endOffsetOf(records: Buffer): number {
  let end = 0;
  for (let at = 0; at + 27 <= records.length; at += 12 + records.readInt32BE(at + 8))
    end = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1;
  return end;
}

async function main(): Promise<void> {
  const plan = readPlan();
  const cloud = await startCloud();
  try {
    const first = await KafkaConnection.open(cloud.bootstrap[0] ?? "");
    const wanted = { name: topic, numPartitions: plan.partitions, replicationFactor: 3, assignments: [], configs: [] };
    await first.call(createTopics, versions.createTopics, { topics: [wanted], timeoutMs: 10_000, validateOnly: false });
    const leaders = await leadersOf(first);
    const connections = new Map<string, KafkaConnection>();
    for (const address of leaders)
      if (!connections.has(address)) connections.set(address, await KafkaConnection.open(address));
    const connectionOf = (partition: number) => connections.get(leaders[partition] ?? "") ?? first;
    console.log(`batches of ${plan.batchBytes} bytes, ${plan.partitions} partitions, replication factor 3, acks=all`);
    await measured("produce", cloud, () => produceAll(plan, connectionOf));
    await measured("fetch", cloud, () => fetchAll(plan, connectionOf));
    first.close();
    for (const connection of connections.values()) connection.close();
  } finally {
    await cloud.end();
  }
}

await main();
