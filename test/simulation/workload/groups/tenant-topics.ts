import { topicIdOf } from "../../../../broker/handlers/context/topic-ids.ts";
import { metadata } from "../../../../shared/kafka/schema/metadata.ts";
import type { GroupLink } from "./group-link.ts";
import type { GroupTopic } from "./group-plan.ts";

/** The topics of these names that the link's tenant has, as some broker knows them; undefined when none answered. */
export async function describedTopics(link: GroupLink, names: readonly string[]): Promise<GroupTopic[] | undefined> {
  const topics = names.map((name) => ({ name }));
  const told = await link.askAny(metadata, 12, { topics, allowAutoTopicCreation: false });
  if (told.kind === "lost") return undefined;
  return told.body.topics.flatMap(({ name, topicId, partitions, errorCode }) => {
    const id = topicId === undefined ? undefined : topicIdOf(topicId);
    return name === null || id === undefined || errorCode !== 0
      ? []
      : [{ name, topicId: id, partitions: partitions.length }];
  });
}
