/**
 * CreatePartitions, v0 to v3.
 *
 * Raises the partition counts of the tenant's topics, each for itself; replicas are placed by the cell unless the client
 * assigns them. v3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599), which is not used yet.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type CreatePartitionsRequest,
  type CreatePartitionsResult,
  createPartitions,
} from "../../shared/kafka/schema/create-partitions.ts";
import type { GrownTopic, TopicGrowth } from "../../shared/metadata/commands/create-partitions.ts";
import { submitChange } from "./context/admin-change.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const createPartitionsHandler: Handler<typeof createPartitions> = {
  api: createPartitions,
  minVersion: createPartitions.versions.min,
  maxVersion: createPartitions.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const { lkc } = context.session.tenant;
    if (request.topics.length === 0 || lkc === undefined) return { results: [] };
    const outcome = await submitChange(
      context,
      { kind: "create-partitions", lkc, topics: request.topics.map(growthOf), validateOnly: request.validateOnly },
      request.timeoutMs,
    );
    if (outcome.kind === "done") return { results: outcome.reply.topics.map(answerOf) };
    const { error, message } = outcome;
    return {
      results: request.topics.map(({ name }) => ({ name, errorCode: errorCode[error], errorMessage: message })),
    };
  },
};

function growthOf({ name, count, assignments }: CreatePartitionsRequest["topics"][number]): TopicGrowth {
  if (assignments === null) return { name, count };
  return { name, count, assignment: assignments.map(({ brokerIds }) => brokerIds) };
}

function answerOf(topic: GrownTopic): CreatePartitionsResult {
  if (topic.kind === "grown") return { name: topic.name, errorCode: errorCode.NONE };
  return { name: topic.name, errorCode: errorCode[topic.error], errorMessage: topic.message };
}
