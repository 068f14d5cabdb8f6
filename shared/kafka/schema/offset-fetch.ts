import {
  api,
  array,
  bool,
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

const requestTopic = struct({
  name: topicName("0-7"),
  partitionIndexes: array("int32", "0-7"),
});

const requestGroupTopic = struct({
  name: topicName("8-9", { default: "", ignorable: true }),
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  partitionIndexes: array("int32", "8+"),
});

const requestGroup = struct({
  groupId: groupId("8+"),
  memberId: string("9+", { nullable: "9+", default: null, ignorable: true }),
  memberEpoch: int32("9+", { default: -1, ignorable: true }),
  topics: array(requestGroupTopic, "8+", { nullable: "8+" }),
});

const responsePartition = struct({
  partitionIndex: int32("0-7"),
  committedOffset: int64("0-7"),
  committedLeaderEpoch: int32("5-7", { default: -1, ignorable: true }),
  metadata: string("0-7", { nullable: "0-7" }),
  errorCode: int16("0-7"),
});

const responseTopic = struct({
  name: topicName("0-7"),
  partitions: array(responsePartition, "0-7"),
});

const responseGroupPartition = struct({
  partitionIndex: int32("8+"),
  committedOffset: int64("8+"),
  committedLeaderEpoch: int32("8+", { default: -1, ignorable: true }),
  metadata: string("8+", { nullable: "8+" }),
  errorCode: int16("8+"),
});

const responseGroupTopic = struct({
  name: topicName("8-9", { default: "", ignorable: true }),
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  partitions: array(responseGroupPartition, "8+"),
});

const responseGroup = struct({
  groupId: groupId("8+"),
  topics: array(responseGroupTopic, "8+"),
  errorCode: int16("8+", { default: 0 }),
});

/**
 * A group's committed offsets; null topics ask for all. v7 may insist on offsets without an open transaction
 * (KIP-447), v8 asks for many groups at once (KIP-709), v9 takes member epochs (KIP-848), v10 names topics by id.
 */
export const offsetFetch = api({
  key: 9,
  name: "OffsetFetch",
  versions: "1-10",
  flexibleVersions: "6+",
  request: struct({
    groupId: groupId("0-7", { default: "" }),
    topics: array(requestTopic, "0-7", { nullable: "2-7", default: [] }),
    groups: array(requestGroup, "8+", { default: [] }),
    requireStable: bool("7+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("3+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0-7", { default: [] }),
    errorCode: int16("2-7", { default: 0, ignorable: true }),
    groups: array(responseGroup, "8+", { default: [] }),
  }),
});

export type OffsetFetchRequest = Decoded<typeof offsetFetch.request>;
export type OffsetFetchRequestGroup = Decoded<typeof requestGroup>;
export type OffsetFetchResponse = Encodable<typeof offsetFetch.response>;
export type OffsetFetchTopicResponse = Encodable<typeof responseTopic>;
export type OffsetFetchGroupResponse = Encodable<typeof responseGroup>;
export type OffsetFetchGroupTopicResponse = Encodable<typeof responseGroupTopic>;
