/**
 * CreateTopics, v2 to v7.
 *
 * Creates topics for the client's tenant, each for itself. The controller decides; the answer comes when this broker's
 * image shows the topics. v4: -1 asks for the cell's default of partitions and replication factor (KIP-464); v5 the
 * resulting configuration (KIP-525); v7 topic ids.
 */
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type CreatableTopic,
  type CreateTopicsTopicResponse,
  createTopics,
} from "../../shared/kafka/schema/create-topics.ts";
import type { CreatedTopic, NewTopic } from "../../shared/metadata/commands/create-topics.ts";
import { submitChange } from "./context/admin-change.ts";
import { configSourceCode } from "./context/config-codes.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { wireTopicId } from "./context/topic-ids.ts";
import { decodedBytes } from "./limits.ts";

interface Refusal {
  readonly kind: "refused";
  readonly error: ErrorName;
  readonly message: string;
}

export const createTopicsHandler: Handler<typeof createTopics> = {
  api: createTopics,
  minVersion: createTopics.versions.min,
  maxVersion: createTopics.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const wishes = request.topics.map(newTopicOf);
    const topics = wishes.flatMap((wish) => ("kind" in wish ? [] : [wish]));
    const created = await create(context, topics, request);
    let next = 0;
    const answers = request.topics.map(({ name }, index) => {
      const wish = wishes[index];
      if (wish !== undefined && "kind" in wish) return refused(name, wish);
      const outcome = created[next];
      next += 1;
      return outcome ?? refused(name, { error: "UNKNOWN_SERVER_ERROR", message: "" });
    });
    return { topics: answers };
  },
};

async function create(
  context: RequestContext,
  topics: readonly NewTopic[],
  { timeoutMs, validateOnly }: { readonly timeoutMs: number; readonly validateOnly: boolean },
): Promise<CreateTopicsTopicResponse[]> {
  const { lkc } = context.session.tenant;
  if (topics.length === 0 || lkc === undefined) return [];
  const outcome = await submitChange(context, { kind: "create-topics", lkc, topics, validateOnly }, timeoutMs);
  if (outcome.kind === "failed") return topics.map(({ name }) => refused(name, outcome));
  return outcome.reply.topics.map(answerOf);
}

/** The request in the terms of the command, or why it makes no sense. */
function newTopicOf(topic: CreatableTopic): NewTopic | Refusal {
  const configs: Record<string, string> = {};
  for (const { name, value } of topic.configs) {
    if (value === null) return { kind: "refused", error: "INVALID_CONFIG", message: `Null value for ${name}.` };
    configs[name] = value;
  }
  const wish = {
    name: topic.name,
    partitions: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    configs,
  };
  if (topic.assignments.length === 0) return wish;
  const byPartition = [...topic.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  if (byPartition.some(({ partitionIndex }, index) => partitionIndex !== index)) {
    return {
      kind: "refused",
      error: "INVALID_REPLICA_ASSIGNMENT",
      message: "Assigned partitions must be numbered from 0 without gaps.",
    };
  }
  return { ...wish, assignment: byPartition.map(({ brokerIds }) => brokerIds) };
}

function answerOf(topic: CreatedTopic): CreateTopicsTopicResponse {
  if (topic.kind === "failed") return refused(topic.name, topic);
  return {
    name: topic.name,
    topicId: wireTopicId(topic.topicId),
    errorCode: errorCode.NONE,
    errorMessage: null,
    numPartitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    configs: topic.configs.map(({ name, value, source, readOnly }) => ({
      name,
      value,
      readOnly,
      configSource: configSourceCode(source),
      isSensitive: false,
    })),
  };
}

function refused(
  name: string,
  { error, message }: { readonly error: ErrorName; readonly message: string },
): CreateTopicsTopicResponse {
  return { name, errorCode: errorCode[error], errorMessage: message };
}
