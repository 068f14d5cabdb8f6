import { isUuid, type Uuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from "../../../shared/kafka/codec/uuid.ts";
import type { TopicId } from "../../../shared/metadata/records/record.ts";

/** A topic id as clients see it (base64url) from the one in the image (hex). */
export function wireTopicId(topicId: TopicId): Uuid {
  return uuidFromBytes(Buffer.from(topicId, "hex"));
}

/** The other way; undefined for the zero UUID, which means "no id given". */
export function topicIdOf(uuid: Uuid): TopicId | undefined {
  if (uuid === ZERO_UUID || !isUuid(uuid)) return undefined;
  return uuidToBytes(uuid).toString("hex");
}
