import type { RecordLedger } from "../checkers/record-ledger.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { partitionKey } from "./kafka-messages.ts";
import { isTrimmedTopic, shortLivedTopic } from "./topics.ts";

export interface AdminClientOptions {
  readonly client: KafkaClient;
  readonly ledger: RecordLedger;
  /** A topic is about to be deleted. */
  readonly onDeleteTopic: (topicId: string) => void;
  readonly meanGapMs: number;
}

/** Makes and deletes topics now and then, and deletes the old records of one. */
export class AdminClient {
  readonly #options: AdminClientOptions;
  #topics = 0;
  #isStopped = false;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  start(): void {
    const { client, meanGapMs } = this.#options;
    const { random, timers } = client.process;
    timers.after(random.exponential(meanGapMs), () => {
      if (this.#isStopped) return;
      const act = random.pick(["create", "delete", "trim", "trim"]);
      if (act === "create") this.#create();
      else if (act === "delete") this.#delete();
      else this.#trim();
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  #create(): void {
    this.#topics += 1;
    this.#options.client.requestAny(shortLivedTopic(this.#topics), () => this.#options.client.refresh());
  }

  #delete(): void {
    const { client, ledger, onDeleteTopic } = this.#options;
    const topic = client.topics.find(({ name }) => name.startsWith("passing-"));
    if (topic === undefined) return;
    for (const partition of topic.partitions.keys()) ledger.forfeit(partitionKey({ ...topic, partition }));
    onDeleteTopic(topic.topicId);
    client.requestAny({ kind: "delete-topic", topicId: topic.topicId }, () => client.refresh());
  }

  #trim(): void {
    const { client, ledger } = this.#options;
    const topic = client.topics.find(({ name }) => isTrimmedTopic(name));
    if (topic === undefined) return;
    const at = { topicId: topic.topicId, partition: 0 };
    const partition = partitionKey(at);
    const start = ledger.logStartOf(partition);
    const offset = start + Math.floor((ledger.knownEnd(partition) - start) * client.process.random.between(0.3, 0.9));
    if (offset <= start) return;
    ledger.deletionAsked(partition, offset);
    client.requestLeader({ kind: "delete-records", ...at, offset }, (response) => {
      if (response.kind === "records-deleted") ledger.deletionAcknowledged(partition, response.lowWatermark);
      else client.refresh();
    });
  }
}
