import {
  api,
  array,
  brokerId,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestPartition = struct({
  partition: int32("0+"),
  currentLeaderEpoch: int32("2+", { default: -1, ignorable: true }),
  leaderEpoch: int32("0+"),
});

const requestTopic = struct({
  topic: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  errorCode: int16("0+", { default: 0 }),
  partition: int32("0+"),
  leaderEpoch: int32("1+", { default: -1, ignorable: true }),
  endOffset: int64("0+", { default: -1 }),
});

const responseTopic = struct({
  topic: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/** Where a leader epoch ends in the log, by which a client detects truncation (KIP-101, KIP-320). */
export const offsetForLeaderEpoch = api({
  key: 23,
  name: "OffsetForLeaderEpoch",
  versions: "2-4",
  flexibleVersions: "4+",
  request: struct({
    replicaId: brokerId("3+", { default: -2, ignorable: true }),
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("2+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0+"),
  }),
});

export type OffsetForLeaderEpochRequest = Decoded<typeof offsetForLeaderEpoch.request>;
export type OffsetForLeaderEpochResponse = Encodable<typeof offsetForLeaderEpoch.response>;
export type OffsetForLeaderEpochTopicResult = Encodable<typeof responseTopic>;
export type OffsetForLeaderEpochPartitionResult = Encodable<typeof responsePartition>;
