import {
  api,
  array,
  brokerId,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
  currentLeaderEpoch: int32("4+", { default: -1, ignorable: true }),
  timestamp: int64("0+"),
});

const requestTopic = struct({
  name: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
  timestamp: int64("1+", { default: -1 }),
  offset: int64("1+", { default: -1 }),
  leaderEpoch: int32("4+", { default: -1, advisory: true }),
});

const responseTopic = struct({
  name: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/**
 * Finds offsets by timestamp. Negative timestamps are questions: -1 latest, -2 earliest, -3 the record with the
 * largest timestamp (v7, KIP-734), -4 the earliest local offset (v8, KIP-405), -5 the latest tiered offset (v9,
 * KIP-1005), -6 the earliest offset pending upload (v11, KIP-1023). v10 adds a timeout (KIP-1075).
 */
export const listOffsets = api({
  key: 2,
  name: "ListOffsets",
  versions: "1-11",
  flexibleVersions: "6+",
  request: struct({
    replicaId: brokerId("0+"),
    isolationLevel: int8("2+", { default: 0 }),
    topics: array(requestTopic, "0+"),
    timeoutMs: int32("10+", { default: 0, ignorable: true }),
  }),
  response: struct({
    throttleTimeMs: int32("2+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0+"),
  }),
});

export type ListOffsetsRequest = Decoded<typeof listOffsets.request>;
export type ListOffsetsResponse = Encodable<typeof listOffsets.response>;
export type ListOffsetsTopicResponse = Encodable<typeof responseTopic>;
export type ListOffsetsPartitionResponse = Encodable<typeof responsePartition>;
