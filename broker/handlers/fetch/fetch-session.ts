import type { FetchPartition as AskedPartition, FetchRequest } from "../../../shared/kafka/schema/fetch.ts";
import type { LogicalClusterId } from "../../../shared/metadata/records/record.ts";
import { FetchPartition, type TopicKey } from "./fetch-partition.ts";
import type { FetchRound } from "./fetch-round.ts";
import { PartitionQueue } from "./partition-queue.ts";

/** After the largest epoch comes 1: 0 begins a session (KIP-227). */
const epochMax = 0x7fff_ffff;

export function nextEpoch(epoch: number): number {
  return epoch === epochMax ? 1 : epoch + 1;
}

/**
 * What one consumer fetches again and again (KIP-227): it sends what changes, and is sent what changed. Belongs to the
 * tenant that made it; nobody else can name it. Its partitions are watched as long as it lives.
 */
export class FetchSession {
  readonly id: number;
  readonly lkc: LogicalClusterId;
  /** Topics are named by id, in all requests of the session (v13 and later), or by name in all. */
  readonly byTopicId: boolean;
  readonly createdMs: number;
  readonly queue = new PartitionQueue();
  /** Epoch that the next request must carry. */
  epoch = 1;
  lastUsedMs: number;
  lastScanMs: number;
  /** The request that is working on the session. */
  round: FetchRound | undefined;
  readonly #topics = new Map<string, Map<number, FetchPartition>>();
  #size = 0;

  constructor(identity: {
    readonly id: number;
    readonly lkc: LogicalClusterId;
    readonly byTopicId: boolean;
    readonly nowMs: number;
  }) {
    this.id = identity.id;
    this.lkc = identity.lkc;
    this.byTopicId = identity.byTopicId;
    this.createdMs = identity.nowMs;
    this.lastUsedMs = identity.nowMs;
    this.lastScanMs = identity.nowMs;
  }

  /** Number of partitions. */
  get size(): number {
    return this.#size;
  }

  /** Takes the partitions that a request names: new ones, or new positions of known ones. */
  update(topics: FetchRequest["topics"]): void {
    for (const topic of topics) {
      const key = { topic: topic.topic, topicId: topic.topicId };
      for (const asked of topic.partitions) this.#updateOne(key, asked);
    }
  }

  forget(topics: FetchRequest["forgottenTopicsData"]): void {
    for (const topic of topics) {
      const partitions = this.#topics.get(this.#nameOf(topic));
      if (partitions === undefined) continue;
      for (const index of topic.partitions) this.#forgetOne(partitions, index);
      if (partitions.size === 0) this.#topics.delete(this.#nameOf(topic));
    }
  }

  /** Looks at everything once more at the next chance. */
  markAll(): void {
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions.values()) this.queue.mark(partition);
    }
  }

  /** Stops watching; a request that still works on it is superseded. */
  close(): void {
    this.round?.supersede();
    this.round = undefined;
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions.values()) partition.unwatch();
    }
  }

  #updateOne(key: TopicKey, asked: AskedPartition): void {
    const name = this.#nameOf(key);
    let partitions = this.#topics.get(name);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(name, partitions);
    }
    let partition = partitions.get(asked.partition);
    if (partition === undefined) {
      partition = new FetchPartition(key, asked, this.queue);
      partitions.set(asked.partition, partition);
      this.#size += 1;
    }
    partition.asked = asked;
    this.queue.mark(partition);
  }

  #forgetOne(partitions: Map<number, FetchPartition>, index: number): void {
    const partition = partitions.get(index);
    if (partition === undefined) return;
    partition.unwatch();
    this.queue.remove(partition);
    partitions.delete(index);
    this.#size -= 1;
  }

  #nameOf(key: TopicKey): string {
    return this.byTopicId ? key.topicId : key.topic;
  }
}
