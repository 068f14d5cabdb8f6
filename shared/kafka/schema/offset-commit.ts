import {
  api,
  array,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  int64,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
  committedOffset: int64("0+"),
  committedLeaderEpoch: int32("6+", { default: -1, ignorable: true }),
  committedMetadata: string("0+", { nullable: "0+" }),
});

const requestTopic = struct({
  name: topicName("0-9", { default: "", ignorable: true }),
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
});

const responseTopic = struct({
  name: topicName("0-9", { default: "", ignorable: true }),
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  partitions: array(responsePartition, "0+"),
});

/**
 * Commits a group's offsets. v7 adds static membership (KIP-345), v9 takes member epochs of the new consumer protocol
 * (KIP-848), v10 names topics by id.
 */
export const offsetCommit = api({
  key: 8,
  name: "OffsetCommit",
  versions: "2-10",
  flexibleVersions: "8+",
  request: struct({
    groupId: groupId("0+"),
    generationIdOrMemberEpoch: int32("1+", { default: -1, ignorable: true }),
    memberId: string("1+", { ignorable: true }),
    groupInstanceId: string("7+", { nullable: "7+", default: null }),
    retentionTimeMs: int64("2-4", { default: -1, ignorable: true }),
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("3+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0+"),
  }),
});

export type OffsetCommitRequest = Decoded<typeof offsetCommit.request>;
export type OffsetCommitTopic = Decoded<typeof requestTopic>;
export type OffsetCommitPartition = Decoded<typeof requestPartition>;
export type OffsetCommitResponse = Encodable<typeof offsetCommit.response>;
export type OffsetCommitTopicResponse = Encodable<typeof responseTopic>;
