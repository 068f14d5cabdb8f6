/**
 * ElectLeaders, v0 to v2.
 *
 * The controller elects by itself whenever a leader is missing, and no unclean leader ever: each partition that exists is
 * answered with ELECTION_NOT_NEEDED. As in Kafka, a request for all partitions (null) names none of those in its answer.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { electLeaders } from "../../shared/kafka/schema/elect-leaders.ts";
import type { TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const electLeadersHandler: Handler<typeof electLeaders> = {
  api: electLeaders,
  minVersion: electLeaders.versions.min,
  maxVersion: electLeaders.versions.max,
  memoryEstimate: decodedBytes,
  handle({ session }, { topicPartitions }) {
    const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => {
      const image = session.tenant.topic(topic);
      return {
        topic,
        partitionResult: partitions.map((partitionId) => ({
          partitionId,
          errorCode: errorCode[errorOf(image, partitionId)],
          errorMessage: null,
        })),
      };
    });
    return { replicaElectionResults };
  },
};

function errorOf(topic: TopicImage | undefined, partition: number): ErrorName {
  return topic?.partitions[partition] === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" : "ELECTION_NOT_NEEDED";
}
