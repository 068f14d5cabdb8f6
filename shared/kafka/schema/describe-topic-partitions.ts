import {
  api,
  array,
  bool,
  brokerId,
  type Decoded,
  type Encodable,
  int16,
  int32,
  object,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";

const requestTopic = struct({
  name: topicName("0+"),
});

const requestCursor = struct({
  topicName: topicName("0+"),
  partitionIndex: int32("0+"),
});

const partition = struct({
  errorCode: int16("0+"),
  partitionIndex: int32("0+"),
  leaderId: brokerId("0+"),
  leaderEpoch: int32("0+", { default: -1, ignorable: true }),
  replicaNodes: array("int32", "0+", { entity: "brokerId" }),
  isrNodes: array("int32", "0+", { entity: "brokerId" }),
  eligibleLeaderReplicas: array("int32", "0+", { nullable: "0+", default: null, entity: "brokerId" }),
  lastKnownElr: array("int32", "0+", { nullable: "0+", default: null, entity: "brokerId" }),
  offlineReplicas: array("int32", "0+", { default: [], ignorable: true, entity: "brokerId" }),
});

const topic = struct({
  errorCode: int16("0+"),
  name: topicName("0+", { nullable: "0+" }),
  topicId: uuid("0+", { ignorable: true }),
  isInternal: bool("0+", { default: false, ignorable: true }),
  partitions: array(partition, "0+"),
  topicAuthorizedOperations: int32("0+", { default: -2_147_483_648 }),
});

const nextCursor = struct({
  topicName: topicName("0+"),
  partitionIndex: int32("0+"),
});

/** Topics page by page, with the replicas eligible to lead (KIP-966). A cursor names the first partition to give. */
export const describeTopicPartitions = api({
  key: 75,
  name: "DescribeTopicPartitions",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    topics: array(requestTopic, "0+"),
    responsePartitionLimit: int32("0+", { default: 2_000 }),
    cursor: object(requestCursor, "0+", { nullable: "0+", default: null }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0, ignorable: true }),
    topics: array(topic, "0+"),
    nextCursor: object(nextCursor, "0+", { nullable: "0+", default: null }),
  }),
});

export type DescribeTopicPartitionsRequest = Decoded<typeof describeTopicPartitions.request>;
export type DescribeTopicPartitionsResponse = Encodable<typeof describeTopicPartitions.response>;
export type DescribeTopicPartitionsTopic = Encodable<typeof topic>;
export type DescribeTopicPartitionsPartition = Encodable<typeof partition>;
