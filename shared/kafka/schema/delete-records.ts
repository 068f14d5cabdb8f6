import { api, array, type Decoded, type Encodable, int16, int32, int64, struct, topicName } from "../codec/fields.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
  offset: int64("0+"),
});

const requestTopic = struct({
  name: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  lowWatermark: int64("0+"),
  errorCode: int16("0+"),
});

const responseTopic = struct({
  name: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/** Moves the log start offset of partitions up to `offset`; -1 means up to the high watermark (KIP-107). */
export const deleteRecords = api({
  key: 21,
  name: "DeleteRecords",
  versions: "0-2",
  flexibleVersions: "2+",
  request: struct({
    topics: array(requestTopic, "0+"),
    timeoutMs: int32("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    topics: array(responseTopic, "0+"),
  }),
});

export type DeleteRecordsRequest = Decoded<typeof deleteRecords.request>;
export type DeleteRecordsResponse = Encodable<typeof deleteRecords.response>;
export type DeleteRecordsTopicResult = Encodable<typeof responseTopic>;
export type DeleteRecordsPartitionResult = Encodable<typeof responsePartition>;
