import type { KafkaClient } from "./kafka-client.ts";
import type { Request } from "./kafka-messages.ts";
import type { ProducerKind } from "./partition-producer.ts";

type CreateTopic = Request & { readonly kind: "create-topic" };

/** Segments roll by time, so that runs of seconds have many. */
const configs = { "segment.ms": "600", "index.interval.bytes": "512", "retention.ms": "-1" };

/** What every run writes to. `min.insync.replicas` is 2 unless said otherwise. */
export function firstTopics(brokers: number): readonly CreateTopic[] {
  const topic = (
    name: string,
    partitions: number,
    replicationFactor: number,
    more: Record<string, string>,
  ): CreateTopic => ({
    kind: "create-topic",
    name,
    partitions,
    replicationFactor,
    configs: { ...configs, ...more },
  });
  return [
    topic("orders", 2, 3, { "min.insync.replicas": "2" }),
    topic("relaxed", 1, 3, { "min.insync.replicas": "1" }),
    topic("wide", 1, brokers, { "min.insync.replicas": "2" }),
    topic("single", 1, 1, { "min.insync.replicas": "1" }),
    topic("trimmed", 1, 3, { "min.insync.replicas": "2" }),
    topic("loose", 1, 3, { "min.insync.replicas": "1" }),
    topic("compacted", 1, 3, {
      "min.insync.replicas": "2",
      "cleanup.policy": "compact",
      "min.cleanable.dirty.ratio": "0.2",
      "delete.retention.ms": "500",
    }),
  ];
}

export function shortLivedTopic(number: number): CreateTopic {
  return { kind: "create-topic", name: `passing-${number}`, partitions: 1, replicationFactor: 3, configs };
}

export function producerKindOf(topicName: string): ProducerKind {
  return topicName === "loose" ? "leader-only" : "quorum";
}

export function isTrimmedTopic(topicName: string): boolean {
  return topicName === "trimmed";
}

/** Its records have keys, and of each key only the newest record must stay. */
export function isCompactedTopic(topicName: string): boolean {
  return topicName === "compacted";
}

/** Makes the tenant, then its topics one after the other, each until it is there. */
export function createTopics(client: KafkaClient, topics: readonly CreateTopic[], done: () => void): void {
  client.requestAny({ kind: "ensure-logical-cluster" }, (response) => {
    if (response.kind === "done") createEach(client, topics, done);
    else client.process.timers.after(200, () => createTopics(client, topics, done));
  });
}

function createEach(client: KafkaClient, topics: readonly CreateTopic[], done: () => void): void {
  const [first, ...rest] = topics;
  if (first === undefined) return done();
  client.requestAny(first, () => {
    client.refresh(() => createEach(client, client.topicByName(first.name) === undefined ? topics : rest, done));
  });
}
