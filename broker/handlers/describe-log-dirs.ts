/**
 * DescribeLogDirs, v1 to v4.
 *
 * Sizes of the tenant's partitions that this broker hosts, as one log directory; tools sum them over the brokers. v3 a
 * top-level error; v4 the disk's size (KIP-827), which is the operator's and not told (-1).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { type DescribeLogDirsRequest, describeLogDirs } from "../../shared/kafka/schema/describe-log-dirs.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { PartitionHost } from "../partition/partition-contract.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

/** Not a path: where the data lies is not a tenant's business. */
const logDir = "hot-tier";

export const describeLogDirsHandler: Handler<typeof describeLogDirs> = {
  api: describeLogDirs,
  minVersion: describeLogDirs.versions.min,
  maxVersion: describeLogDirs.versions.max,
  memoryEstimate: decodedBytes,
  handle({ services, session }, request) {
    const topics = [];
    for (const { topic, indexes } of askedTopics(session.tenant, request)) {
      const partitions = indexes.flatMap((index) => sizeOf(services.partitions, topic, index));
      if (partitions.length > 0) topics.push({ name: topic.name, partitions });
    }
    return { results: [{ errorCode: errorCode.NONE, logDir, topics }] };
  },
};

function askedTopics(
  tenant: { topics(): Iterable<TopicImage>; topic(name: string): TopicImage | undefined },
  { topics }: DescribeLogDirsRequest,
): { readonly topic: TopicImage; readonly indexes: readonly number[] }[] {
  if (topics === null) {
    return Array.from(tenant.topics(), (topic) => ({ topic, indexes: [...topic.partitions.keys()] }));
  }
  return topics.flatMap(({ topic: name, partitions }) => {
    const topic = tenant.topic(name);
    return topic === undefined ? [] : [{ topic, indexes: partitions }];
  });
}

/** One entry, or none when this broker does not host the partition. */
function sizeOf(partitions: PartitionHost, { topicId }: TopicImage, index: number) {
  const hosted = partitions.find(topicId, index);
  if (hosted === undefined) return [];
  return [{ partitionIndex: index, partitionSize: hosted.sizeBytes, offsetLag: 0, isFutureKey: false }];
}
