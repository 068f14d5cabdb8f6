/**
 * DescribeTopicPartitions, v0 (KIP-966).
 *
 * Topics in order of name, page by page: at most `responsePartitionLimit` partitions, beginning at the cursor; the next
 * cursor names the first partition that did not fit. No names ask for all topics. The eligible leader replicas of
 * KIP-966 do not exist here (a quorum elects), so both lists are empty.
 */
import { ZERO_UUID } from "../../shared/kafka/codec/uuid.ts";
import { errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  type DescribeTopicPartitionsTopic,
  describeTopicPartitions,
} from "../../shared/kafka/schema/describe-topic-partitions.ts";
import { topicNameFault } from "../../shared/metadata/commands/topic-name.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import { topicOperations } from "./context/authorized-operations.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { PartitionDescriber } from "./context/partition-describer.ts";
import { wireTopicId } from "./context/topic-ids.ts";
import { decodedBytes, describedPartitionsMax } from "./limits.ts";

export const describeTopicPartitionsHandler: Handler<typeof describeTopicPartitions> = {
  api: describeTopicPartitions,
  minVersion: describeTopicPartitions.versions.min,
  maxVersion: describeTopicPartitions.versions.max,
  memoryEstimate: decodedBytes,
  handle: (context, request) => describePage(context, request),
};

function describePage(
  context: RequestContext,
  { topics: asked, responsePartitionLimit, cursor }: DescribeTopicPartitionsRequest,
): DescribeTopicPartitionsResponse {
  const { tenant } = context.session;
  const names = asked.length > 0 ? asked.map(({ name }) => name) : Array.from(tenant.topics(), ({ name }) => name);
  const pending = [...new Set(names)].sort(byCodeUnit).filter((name) => cursor === null || name >= cursor.topicName);
  const describer = new PartitionDescriber(context);
  const topics: DescribeTopicPartitionsTopic[] = [];
  let room = Math.max(1, Math.min(responsePartitionLimit, describedPartitionsMax));
  for (const name of pending) {
    const topic = tenant.topic(name);
    if (topic === undefined) {
      topics.push(unknownTopic(name));
      continue;
    }
    if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
    const first = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0;
    const end = Math.min(first + room, topic.partitions.length);
    topics.push(describe(topic, describer, { first, end }));
    room -= Math.max(0, end - first);
    if (end < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: end } };
  }
  return { topics, nextCursor: null };
}

function describe(
  topic: TopicImage,
  describer: PartitionDescriber,
  { first, end }: { readonly first: number; readonly end: number },
): DescribeTopicPartitionsTopic {
  const partitions = topic.partitions.slice(first, end).map((state) => ({
    ...describer.one(topic, state),
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }));
  return {
    errorCode: errorCode.NONE,
    name: topic.name,
    topicId: wireTopicId(topic.topicId),
    partitions,
    topicAuthorizedOperations: topicOperations,
  };
}

function unknownTopic(name: string): DescribeTopicPartitionsTopic {
  const error = topicNameFault(name) === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" : "INVALID_TOPIC_EXCEPTION";
  return { errorCode: errorCode[error], name, topicId: ZERO_UUID, partitions: [] };
}

/** As Java orders strings, which is how cursors move on. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
