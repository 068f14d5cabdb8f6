/** What consumers of a group say to each other through their coordinator; opaque to brokers but for the topics' names. */
import type { GroupTopic } from "./group-plan.ts";

export const consumerProtocol = "range";

export interface Assignment {
  /** Made by one leader, once. */
  readonly nonce: string;
  /** `topicId/partition`. */
  readonly partitions: readonly string[];
}

/** A subscription as consumers encode it (version 0); `note` is user data. */
export function subscription(topics: readonly string[], note: string): Buffer {
  const names = topics.map((name) => Buffer.concat([int16(name.length), Buffer.from(name)]));
  const userData = Buffer.from(note);
  return Buffer.concat([int16(0), int32(names.length), ...names, int32(userData.length), userData]);
}

/** Deals all partitions of the topics out to the members, one after the other. */
export function assign(
  memberIds: readonly string[],
  topics: readonly GroupTopic[],
  nonce: string,
): { readonly memberId: string; readonly assignment: Buffer }[] {
  const all = topics.flatMap(({ topicId, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => `${topicId}/${partition}`),
  );
  return memberIds.map((memberId, index) => {
    const partitions = all.filter((_, at) => at % memberIds.length === index);
    return { memberId, assignment: Buffer.from(JSON.stringify({ nonce, partitions } satisfies Assignment)) };
  });
}

export function readAssignment(assignment: Buffer): Assignment | undefined {
  return assignment.length === 0 ? undefined : (JSON.parse(assignment.toString()) as Assignment);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
