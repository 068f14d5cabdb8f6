/** Deletes topics of one logical cluster, by name or by id, each for itself. */
import type { MetadataImage, TopicImage } from "../image/metadata-image.ts";
import type { LogicalClusterId, TopicId } from "../records/record.ts";
import { type CommandError, refused } from "./command-error.ts";
import type { Decision } from "./decision.ts";
import { topicsPerRequestMax } from "./limits.ts";

export interface DeleteTopicsCommand {
  readonly kind: "delete-topics";
  readonly lkc: LogicalClusterId;
  readonly topics: readonly TopicReference[];
}

export type TopicReference =
  | { readonly by: "name"; readonly name: string }
  | { readonly by: "id"; readonly topicId: TopicId };

export interface DeleteTopicsReply {
  /** In the order of the command. */
  readonly topics: readonly DeletedTopic[];
}

export type DeletedTopic =
  | { readonly kind: "deleted"; readonly name: string; readonly topicId: TopicId }
  | (CommandError & { readonly reference: TopicReference });

export function decideDeleteTopics(image: MetadataImage, command: DeleteTopicsCommand): Decision<DeleteTopicsReply> {
  const deleted = new Set<TopicId>();
  const topics = command.topics.map((reference): DeletedTopic => {
    const topic = findTopic(image, command.lkc, reference);
    const fault =
      command.topics.length > topicsPerRequestMax
        ? refused("POLICY_VIOLATION", `A request may delete ${topicsPerRequestMax} topics at most.`)
        : topicFault(topic, reference, deleted);
    if (topic === undefined || fault !== undefined) {
      return { ...(fault ?? unknownTopic(reference)), reference };
    }
    deleted.add(topic.topicId);
    return { kind: "deleted", name: topic.name, topicId: topic.topicId };
  });
  return { records: [...deleted].map((topicId) => ({ type: "topic-deleted", topicId })), reply: { topics } };
}

/** A topic is found only within its own tenant, whatever it is called by. */
export function findTopic(
  image: MetadataImage,
  lkc: LogicalClusterId,
  reference: TopicReference,
): TopicImage | undefined {
  const topic =
    reference.by === "name" ? image.topicsOf(lkc)?.get(reference.name) : image.topics.get(reference.topicId);
  return topic?.lkc === lkc ? topic : undefined;
}

function topicFault(
  topic: TopicImage | undefined,
  reference: TopicReference,
  deleted: ReadonlySet<TopicId>,
): CommandError | undefined {
  if (topic === undefined) {
    return unknownTopic(reference);
  }
  return deleted.has(topic.topicId) ? refused("INVALID_REQUEST", "The topic is named twice.") : undefined;
}

function unknownTopic(reference: TopicReference): CommandError {
  return reference.by === "name"
    ? refused("UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition.")
    : refused("UNKNOWN_TOPIC_ID", "This server does not host this topic ID.");
}
