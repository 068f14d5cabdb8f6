import type { ErrorName } from "../../../shared/kafka/error-codes.ts";
import type { TopicImage } from "../../../shared/metadata/image/metadata-image.ts";
import type { HostedPartition, PartitionHost } from "../../partition/partition-contract.ts";

/**
 * The replica of the topic's partition on this broker, or the error to answer. `unknownTopic` is what an unknown topic
 * is called: by id UNKNOWN_TOPIC_ID, by name UNKNOWN_TOPIC_OR_PARTITION.
 */
export function hostedPartition(
  partitions: PartitionHost,
  topic: TopicImage | undefined,
  { index, unknownTopic }: { readonly index: number; readonly unknownTopic: ErrorName },
): HostedPartition | ErrorName {
  if (topic === undefined) return unknownTopic;
  if (topic.partitions[index] === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
  return partitions.find(topic.topicId, index) ?? "NOT_LEADER_OR_FOLLOWER";
}
