/**
 * OffsetDelete, v0 (KIP-496).
 *
 * Forgets what a group has committed for topics that none of its members reads; for others the answer is
 * GROUP_SUBSCRIBED_TO_TOPIC. Offsets that are not there are deleted already.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import { type OffsetDeleteRequest, offsetDelete } from "../../shared/kafka/schema/offset-delete.ts";
import type { TopicPartitionName } from "../coordinator/group-requests.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const offsetDeleteHandler: Handler<typeof offsetDelete> = {
  api: offsetDelete,
  minVersion: offsetDelete.versions.min,
  maxVersion: offsetDelete.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const name = namedGroup(context.session, request.groupId, { mayBeEmpty: true });
    if (typeof name === "string") return { errorCode: errorCode[name], topics: [] };
    const known = request.topics.map((topic) => partitionsOf(context, topic));
    const outcome = await context.services.groups.deleteOffsets(
      name,
      known.flatMap((partitions) => partitions.flatMap((partition) => partition ?? [])),
    );
    if (outcome.kind === "failed") return { errorCode: errorCode[outcome.error], topics: [] };
    let next = 0;
    const errorOf = (partition: TopicPartitionName | undefined): ErrorName => {
      if (partition === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
      next += 1;
      return outcome.value[next - 1] ?? "UNKNOWN_SERVER_ERROR";
    };
    return {
      errorCode: errorCode.NONE,
      topics: request.topics.map((topic, topicIndex) => ({
        name: topic.name,
        partitions: topic.partitions.map(({ partitionIndex }, index) => ({
          partitionIndex,
          errorCode: errorCode[errorOf(known[topicIndex]?.[index])],
        })),
      })),
    };
  },
};

function partitionsOf(
  { session }: RequestContext,
  { name, partitions }: OffsetDeleteRequest["topics"][number],
): (TopicPartitionName | undefined)[] {
  const topic = session.tenant.topic(name);
  return partitions.map(({ partitionIndex }) => {
    if (topic?.partitions[partitionIndex] === undefined) return undefined;
    return { topicName: name, topicId: topic.topicId, partition: partitionIndex };
  });
}
