/**
 * What a member of protocol type `consumer` tells its group: version (int16), then the topics (array of strings). Later
 * versions append to that, so the beginning is all that is read, whatever the version.
 */
import { MalformedMessageError } from "../../../shared/kafka/codec/message-error.ts";
import { Reader } from "../../../shared/kafka/codec/reader.ts";
import { subscriptionTopicsMax } from "./limits.ts";

/** The protocol type of consumers; others (Kafka Connect's, schema registries') have metadata of their own. */
export const consumerProtocolType = "consumer";

const names = { message: "ConsumerProtocolSubscription", paths: ["version", "topics"] };
/** The length of an empty topic name: what an element takes at least. */
const topicBytesMin = 2;

/** The topics subscribed to; undefined when the metadata is something else, or names more than are looked at. */
export function subscribedTopicsOf(metadata: Buffer): readonly string[] | undefined {
  try {
    const reader = new Reader(metadata, 0, names);
    if (reader.int16() < 0) return undefined;
    const count = reader.arrayLength(topicBytesMin);
    if (count > subscriptionTopicsMax) return undefined;
    return Array.from({ length: count }, () => reader.string());
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}

/** Do both subscribe to the same topics? Yes, when that cannot be told. */
export function subscribeAlike(one: Buffer, other: Buffer): boolean {
  const these = subscribedTopicsOf(one);
  const those = subscribedTopicsOf(other);
  if (these === undefined || those === undefined) return true;
  return new Set(these).symmetricDifference(new Set(those)).size === 0;
}
