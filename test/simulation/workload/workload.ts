import type { HighWatermarkViews } from "../checkers/high-watermark-views.ts";
import type { RecordLedger } from "../checkers/record-ledger.ts";
import type { World } from "../world/world.ts";
import { KafkaClient } from "./kafka-client.ts";
import { partitionKey, type TopicPartition } from "./kafka-messages.ts";
import { PartitionConsumer } from "./partition-consumer.ts";
import { PartitionProducer, type ProducerKind } from "./partition-producer.ts";

/** Machines of clients are numbered from here. */
export const firstClientMachine = 101;
const recordsPerBatchMax = 5;
const paddingBytesMax = 400;

export interface WorkloadOptions {
  readonly world: World;
  readonly ledger: RecordLedger;
  readonly highWatermarks: HighWatermarkViews;
  readonly brokerMachines: readonly number[];
  /** Client machines that produce and read. */
  readonly clients: number;
  /** Between two batches of one producer to one partition, on average. */
  readonly batchIntervalMs: number;
  readonly violate: (message: string) => void;
  /** How a topic is written to, by its name. */
  readonly kindOf: (topicName: string) => ProducerKind;
  /** Records of the topic may be deleted. */
  readonly isTrimmed: (topicName: string) => boolean;
  readonly isCompacted: (topicName: string) => boolean;
}

interface Attached {
  readonly producer: PartitionProducer;
  readonly consumer: PartitionConsumer;
  isGone: boolean;
}

/** Clients that write to and read from every partition they see, until told to stop. */
export class Workload {
  readonly clients: readonly KafkaClient[];
  readonly #options: WorkloadOptions;
  readonly #attached = new Map<string, Attached>();
  #nextProducerId = 1_000;
  #isStopped = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.clients = Array.from({ length: options.clients }, (_, index) => {
      const process = options.world.machine(firstClientMachine + index).start(() => undefined);
      return new KafkaClient(options.world.network, process, options.brokerMachines);
    });
  }

  start(): void {
    for (const client of this.clients) this.#watchTopics(client);
  }

  /** No new records; what is under way goes on. */
  stopProducing(): void {
    this.#isStopped = true;
  }

  stopConsuming(): void {
    for (const { consumer } of this.#attached.values()) consumer.stop();
  }

  /** Batches that are neither acknowledged nor given up. */
  get pendingBatches(): number {
    let count = 0;
    for (const { producer, isGone } of this.#attached.values()) if (!isGone) count += producer.pendingBatches;
    return count;
  }

  /** What may be gone after a power cut that took a quorum of the partition, with the ledger's permission. */
  permitLoss(partition: string): void {
    for (const [key, attached] of this.#attached) {
      if (!key.endsWith(` ${partition}`)) continue;
      attached.producer.permitLoss();
      attached.consumer.permitLoss();
    }
  }

  /** A topic is about to be deleted: nothing is expected of it any more. */
  topicDeleted(topicId: string): void {
    const mark = ` ${topicId.slice(0, 8)}/`;
    for (const [key, attached] of this.#attached) {
      if (!key.includes(mark)) continue;
      attached.isGone = true;
      attached.producer.abandon();
      attached.consumer.stop();
    }
  }

  #watchTopics(client: KafkaClient): void {
    client.refresh(() => {
      for (const topic of client.topics) {
        for (const partition of topic.partitions.keys()) {
          this.#attach(client, { topicId: topic.topicId, partition }, topic.name);
        }
      }
      client.process.timers.after(1_000, () => this.#watchTopics(client));
    });
  }

  #attach(client: KafkaClient, at: TopicPartition, topicName: string): void {
    const key = `${client.process.machineId} ${partitionKey(at)}`;
    if (this.#attached.has(key)) return;
    const { ledger, highWatermarks, violate, kindOf, isTrimmed } = this.#options;
    const isCompacted = this.#options.isCompacted(topicName);
    const producer = new PartitionProducer({
      client,
      ledger,
      at,
      kind: kindOf(topicName),
      inFlightMax: client.process.random.pick([1, 3, 5]),
      nextProducerId: () => {
        this.#nextProducerId += 1;
        return this.#nextProducerId;
      },
      violate,
      mayForgetProducers: isTrimmed(topicName),
      isKeyed: isCompacted,
    });
    const consumer = new PartitionConsumer({ client, ledger, highWatermarks, at, violate, isCompacted });
    const attached: Attached = { producer, consumer, isGone: false };
    this.#attached.set(key, attached);
    consumer.start();
    this.#produceOn(client, attached);
  }

  #produceOn(client: KafkaClient, attached: Attached): void {
    const { random, timers } = client.process;
    timers.after(random.exponential(this.#options.batchIntervalMs), () => {
      if (this.#isStopped || attached.isGone) return;
      // Java's buffer.memory: a producer that gets nothing through takes no more.
      if (attached.producer.pendingBatches < 20) {
        attached.producer.produce(1 + random.below(recordsPerBatchMax), random.below(paddingBytesMax));
      }
      this.#produceOn(client, attached);
    });
  }
}
