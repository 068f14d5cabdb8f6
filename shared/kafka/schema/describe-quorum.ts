import {
  api,
  array,
  brokerId,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
  struct,
  topicName,
  uint16,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
});

const requestTopic = struct({
  topicName: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const replica = struct({
  replicaId: brokerId("0+"),
  replicaDirectoryId: uuid("2+", { default: ZERO_UUID, advisory: true }),
  logEndOffset: int64("0+"),
  lastFetchTimestamp: int64("1+", { default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64("1+", { default: -1, ignorable: true }),
});

const partition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
  errorMessage: string("2+", { nullable: "2+", default: "", ignorable: true }),
  leaderId: brokerId("0+"),
  leaderEpoch: int32("0+"),
  highWatermark: int64("0+"),
  currentVoters: array(replica, "0+"),
  observers: array(replica, "0+"),
});

const topic = struct({
  topicName: topicName("0+"),
  partitions: array(partition, "0+"),
});

const listener = struct({
  name: string("2+"),
  host: string("2+"),
  port: uint16("2+"),
});

const node = struct({
  nodeId: brokerId("2+"),
  listeners: array(listener, "2+"),
});

/** The state of the metadata quorum, as Apache Kafka has one (KIP-595). v2 adds directories and nodes (KIP-853). */
export const describeQuorum = api({
  key: 55,
  name: "DescribeQuorum",
  versions: "0-2",
  flexibleVersions: "0+",
  request: struct({
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    errorCode: int16("0+"),
    errorMessage: string("2+", { nullable: "2+", default: "", ignorable: true }),
    topics: array(topic, "0+"),
    nodes: array(node, "2+", { default: [], advisory: true }),
  }),
});

export type DescribeQuorumRequest = Decoded<typeof describeQuorum.request>;
export type DescribeQuorumResponse = Encodable<typeof describeQuorum.response>;
