import {
  api,
  array,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  int64,
  producerId,
  string,
  struct,
  topicName,
  transactionalId,
} from "../codec/fields.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
  committedOffset: int64("0+"),
  committedLeaderEpoch: int32("2+", { default: -1, ignorable: true }),
  committedMetadata: string("0+", { nullable: "0+" }),
});

const requestTopic = struct({
  name: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
});

const responseTopic = struct({
  name: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/** Commits offsets inside a transaction. v3 adds the group's generation and member (KIP-447). */
export const txnOffsetCommit = api({
  key: 28,
  name: "TxnOffsetCommit",
  versions: "0-5",
  flexibleVersions: "3+",
  request: struct({
    transactionalId: transactionalId("0+"),
    groupId: groupId("0+"),
    producerId: producerId("0+"),
    producerEpoch: int16("0+"),
    generationId: int32("3+", { default: -1 }),
    memberId: string("3+", { default: "" }),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    topics: array(responseTopic, "0+"),
  }),
});

export type TxnOffsetCommitRequest = Decoded<typeof txnOffsetCommit.request>;
export type TxnOffsetCommitResponse = Encodable<typeof txnOffsetCommit.response>;
export type TxnOffsetCommitTopicResponse = Encodable<typeof responseTopic>;
