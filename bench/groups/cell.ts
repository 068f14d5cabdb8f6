/** Brokers to measure, whoever's they are. */
import { execFileSync } from "node:child_process";
import { createTopics } from "../../shared/kafka/schema/create-topics.ts";
import { type MetadataResponse, metadata } from "../../shared/kafka/schema/metadata.ts";
import { startCloud } from "../cloud.ts";
import { KafkaConnection } from "../kafka-connection.ts";

const versions = { createTopics: 5, metadata: 9 } as const;
const topicAlreadyExists = 36;
const inSyncMsMax = 90_000;
const pollMs = 100;

export interface Cell {
  readonly name: string;
  readonly bootstrap: readonly string[];
  readonly brokerIds: readonly number[];
  /** All of a cell's brokers must be running. */
  pids(): number[];
  pidOf(broker: number): number;
  /** Has a broker that was killed come back; resolves when its process is there, not when it serves. */
  restart(broker: number): Promise<void>;
  end(): Promise<void>;
}

/** A cloud of our own. */
export async function ownCell(name: string): Promise<Cell> {
  const cloud = await startCloud();
  const brokerIds = cloud.bootstrap.map((_, index) => index + 1);
  return {
    name,
    bootstrap: cloud.bootstrap,
    brokerIds,
    pids: () => brokerIds.map((broker) => cloud.pidOf(broker)),
    pidOf: (broker) => cloud.pidOf(broker),
    // Its supervisor does it.
    restart: () => Promise.resolve(),
    end: () => cloud.end(),
  };
}

/** Brokers that somebody else started: `pids` as `1=4711,2=4712`, `restartCommand` with `{id}` prints the new pid last. */
export function foreignCell(name: string, bootstrap: string, pids: string, restartCommand: string | undefined): Cell {
  const pidOf = new Map(pids.split(",").map((pair) => pair.split("=").map(Number) as [number, number]));
  return {
    name,
    bootstrap: bootstrap.split(","),
    brokerIds: [...pidOf.keys()],
    pids: () => [...pidOf.values()],
    pidOf: (broker) => pidOf.get(broker) ?? 0,
    restart: (broker) => {
      if (restartCommand === undefined) throw new Error(`${name}: no command to restart broker ${broker}`);
      const command = restartCommand.replace("{id}", String(broker));
      const printed = execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" });
      pidOf.set(broker, Number(printed.trim().split("\n").at(-1)));
      return Promise.resolve();
    },
    end: () => Promise.resolve(),
  };
}

/** Makes the topic, unless it is there, and waits until all its replicas are in sync. */
export async function ensureTopic(cell: Cell, name: string, numPartitions: number): Promise<void> {
  const connection = await KafkaConnection.open(cell.bootstrap[0] ?? "");
  const wanted = { name, numPartitions, replicationFactor: 3, assignments: [], configs: [] };
  const request = { topics: [wanted], timeoutMs: 30_000, validateOnly: false };
  const answer = await connection.call<{ topics: { errorCode: number }[] }>(
    createTopics,
    versions.createTopics,
    request,
  );
  connection.close();
  const code = answer.topics[0]?.errorCode ?? -1;
  if (code !== 0 && code !== topicAlreadyExists) throw new Error(`${cell.name}: CreateTopics answered error ${code}`);
  await untilInSync(cell, name);
}

/** Every broker answers, and says that the topic's replicas are all in sync. */
export async function untilInSync(cell: Cell, topic: string): Promise<void> {
  const deadlineMs = performance.now() + inSyncMsMax;
  for (const address of cell.bootstrap) {
    while (!(await saysInSync(address, topic))) {
      if (performance.now() > deadlineMs) throw new Error(`${cell.name}: not in sync after ${inSyncMsMax} ms`);
      await sleep(pollMs);
    }
  }
}

async function saysInSync(address: string, topic: string): Promise<boolean> {
  let connection: KafkaConnection | undefined;
  try {
    connection = await KafkaConnection.open(address, 1_000);
    const request = { topics: [{ name: topic }] };
    const found = await connection.call<MetadataResponse>(metadata, versions.metadata, request, 2_000);
    const partitions = found.topics[0]?.partitions ?? [];
    return partitions.length > 0 && partitions.every(({ isrNodes, leaderId }) => isrNodes.length === 3 && leaderId > 0);
  } catch {
    return false;
  } finally {
    connection?.close();
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
