import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  producerId,
  string,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestTopic = struct({
  name: topicName("0+"),
  partitionIndexes: array("int32", "0+"),
});

const producer = struct({
  producerId: producerId("0+"),
  producerEpoch: int32("0+"),
  lastSequence: int32("0+", { default: -1 }),
  lastTimestamp: int64("0+", { default: -1 }),
  coordinatorEpoch: int32("0+"),
  currentTxnStartOffset: int64("0+", { default: -1 }),
});

const partition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+", default: null }),
  activeProducers: array(producer, "0+"),
});

const topic = struct({
  name: topicName("0+"),
  partitions: array(partition, "0+"),
});

/** Producers that a partition's leader remembers (KIP-664). */
export const describeProducers = api({
  key: 61,
  name: "DescribeProducers",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    topics: array(topic, "0+"),
  }),
});

export type DescribeProducersRequest = Decoded<typeof describeProducers.request>;
export type DescribeProducersResponse = Encodable<typeof describeProducers.response>;
export type DescribeProducersPartition = Encodable<typeof partition>;
