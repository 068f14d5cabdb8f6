/**
 * DeleteTopics, v1 to v6.
 *
 * Deletes the tenant's topics by name or, from v6, by id (KIP-516), each for itself. The id of somebody else's topic is
 * UNKNOWN_TOPIC_ID like one that does not exist. v5 error messages.
 */
import { ZERO_UUID } from "../../shared/kafka/codec/uuid.ts";
import { type ErrorName, errorCode } from "../../shared/kafka/error-codes.ts";
import {
  type DeletableTopicResult,
  type DeleteTopicsRequest,
  deleteTopics,
} from "../../shared/kafka/schema/delete-topics.ts";
import type { DeletedTopic, TopicReference } from "../../shared/metadata/commands/delete-topics.ts";
import { submitChange } from "./context/admin-change.ts";
import type { Handler, RequestContext } from "./context/handler.ts";
import { topicIdOf, wireTopicId } from "./context/topic-ids.ts";
import { decodedBytes } from "./limits.ts";

type Asked = DeleteTopicsRequest["topics"][number];

const byIdFrom = 6;

export const deleteTopicsHandler: Handler<typeof deleteTopics> = {
  api: deleteTopics,
  minVersion: deleteTopics.versions.min,
  maxVersion: deleteTopics.versions.max,
  memoryEstimate: decodedBytes,
  async handle(context, request) {
    const asked: readonly Asked[] =
      context.version >= byIdFrom ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    const references = asked.map(referenceOf);
    const valid = references.flatMap((reference) => reference ?? []);
    const deleted = await remove(context, valid, request.timeoutMs);
    let next = 0;
    const responses = asked.map((topic, index) => {
      if (references[index] === undefined) {
        return refused(topic, { error: "INVALID_REQUEST", message: "Either a name or an id must be given." });
      }
      const answer = deleted[next]?.(topic);
      next += 1;
      return answer ?? refused(topic, { error: "UNKNOWN_SERVER_ERROR", message: "" });
    });
    return { responses };
  },
};

type AnswerFor = (asked: Asked) => DeletableTopicResult;

async function remove(
  context: RequestContext,
  topics: readonly TopicReference[],
  timeoutMs: number,
): Promise<readonly AnswerFor[]> {
  const { lkc } = context.session.tenant;
  if (topics.length === 0 || lkc === undefined) return [];
  const outcome = await submitChange(context, { kind: "delete-topics", lkc, topics }, timeoutMs);
  if (outcome.kind === "failed") return topics.map(() => (asked) => refused(asked, outcome));
  return outcome.reply.topics.map((topic) => (asked) => answerOf(asked, topic));
}

function referenceOf({ name, topicId }: Asked): TopicReference | undefined {
  const id = topicIdOf(topicId);
  if (name !== null) return id === undefined ? { by: "name", name } : undefined;
  return id === undefined ? undefined : { by: "id", topicId: id };
}

function answerOf(asked: Asked, topic: DeletedTopic): DeletableTopicResult {
  if (topic.kind === "failed") return refused(asked, topic);
  return { name: topic.name, topicId: wireTopicId(topic.topicId), errorCode: errorCode.NONE };
}

function refused(
  { name, topicId }: Asked,
  { error, message }: { readonly error: ErrorName; readonly message: string },
): DeletableTopicResult {
  return { name, topicId, errorCode: errorCode[error], errorMessage: message };
}
