/** What simulated clients and brokers say to each other: the part of Kafka's protocol that matters here, as values. */
import type { PartitionError } from "../../../broker/partition/partition-contract.ts";

export interface TopicPartition {
  readonly topicId: string;
  readonly partition: number;
}

export type Request =
  | { readonly kind: "metadata" }
  | (TopicPartition & {
      readonly kind: "produce";
      readonly records: Buffer;
      readonly acks: 1 | -1;
      readonly timeoutMs: number;
    })
  | (TopicPartition & {
      readonly kind: "fetch";
      readonly offset: number;
      readonly currentLeaderEpoch: number;
      readonly maxBytes: number;
      readonly waitMs: number;
    })
  | (TopicPartition & {
      readonly kind: "offset-for-leader-epoch";
      readonly currentLeaderEpoch: number;
      readonly leaderEpoch: number;
    })
  | (TopicPartition & { readonly kind: "log-start"; readonly currentLeaderEpoch: number })
  | (TopicPartition & { readonly kind: "delete-records"; readonly offset: number })
  | {
      readonly kind: "create-topic";
      readonly name: string;
      readonly partitions: number;
      readonly replicationFactor: number;
      readonly configs: Readonly<Record<string, string>>;
    }
  | { readonly kind: "ensure-logical-cluster"; readonly lkc?: string }
  | { readonly kind: "delete-logical-cluster"; readonly lkc: string }
  | { readonly kind: "set-cell-configs"; readonly configs: Readonly<Record<string, string>> }
  | { readonly kind: "delete-topic"; readonly topicId: string }
  /** A request of Kafka's protocol as it stands on the wire, without its length, of a client of this logical cluster. */
  | { readonly kind: "frame"; readonly lkc: string; readonly frame: Buffer };

export type RequestError = PartitionError | "UNKNOWN_TOPIC_OR_PARTITION" | "DISCONNECTED" | "TIMEOUT" | "ADMIN_FAILED";

export interface ListedPartition {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
}

export interface ListedTopic {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: readonly ListedPartition[];
}

export type Response =
  | { readonly kind: "error"; readonly error: RequestError; readonly message?: string | undefined }
  | {
      readonly kind: "metadata";
      readonly brokers: readonly { readonly brokerId: number; readonly host: string; readonly port: number }[];
      readonly topics: readonly ListedTopic[];
    }
  /** `committedMs`, `servedMs`: simulated time at the broker, for the checkers. */
  | { readonly kind: "produced"; readonly baseOffset: number; readonly committedMs: number }
  | {
      readonly kind: "fetched";
      readonly leaderEpoch: number;
      readonly highWatermark: number;
      readonly logStartOffset: number;
      readonly batches: readonly Buffer[];
      readonly servedMs: number;
    }
  | { readonly kind: "epoch-end"; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: "log-start"; readonly offset: number }
  | { readonly kind: "records-deleted"; readonly lowWatermark: number }
  | { readonly kind: "frame"; readonly frame: Buffer; readonly servedMs: number }
  | { readonly kind: "done" };

/** Bytes that a message takes on the wire, near enough. */
export function messageBytes(message: Request | Response): number {
  const overhead = 80;
  switch (message.kind) {
    case "produce":
      return overhead + message.records.length;
    case "fetched":
      return overhead + message.batches.reduce((sum, batch) => sum + batch.length, 0);
    case "frame":
      return overhead + message.frame.length;
    default:
      return overhead;
  }
}

export function partitionKey(at: TopicPartition): string {
  return `${at.topicId.slice(0, 8)}/${at.partition}`;
}
