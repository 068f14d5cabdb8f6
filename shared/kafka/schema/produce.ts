import {
  api,
  array,
  brokerId,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  object,
  records,
  string,
  struct,
  topicName,
  transactionalId,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const partitionData = struct({
  index: int32("0+"),
  records: records("0+", { nullable: "0+" }),
});

const topicData = struct({
  name: topicName("0-12", { ignorable: true, default: "" }),
  topicId: uuid("13+", { ignorable: true, default: ZERO_UUID }),
  partitionData: array(partitionData, "0+"),
});

const recordError = struct({
  batchIndex: int32("8+"),
  batchIndexErrorMessage: string("8+", { nullable: "8+", default: null }),
});

const currentLeader = struct({
  leaderId: brokerId("10+", { default: -1 }),
  leaderEpoch: int32("10+", { default: -1 }),
});

const partitionResponse = struct({
  index: int32("0+"),
  errorCode: int16("0+"),
  baseOffset: int64("0+"),
  logAppendTimeMs: int64("2+", { default: -1, ignorable: true }),
  logStartOffset: int64("5+", { default: -1, ignorable: true }),
  recordErrors: array(recordError, "8+", { ignorable: true, default: [] }),
  errorMessage: string("8+", { nullable: "8+", default: null, ignorable: true }),
  currentLeader: object(currentLeader, "10+", { tag: 0, advisory: true }),
});

const topicResponse = struct({
  name: topicName("0-12", { ignorable: true, default: "" }),
  topicId: uuid("13+", { ignorable: true, default: ZERO_UUID }),
  partitionResponses: array(partitionResponse, "0+"),
});

const nodeEndpoint = struct({
  nodeId: brokerId("10+"),
  host: string("10+"),
  port: int32("10+"),
  rack: string("10+", { nullable: "10+", default: null }),
});

/**
 * Appends record batches. v5 adds the log start offset, v8 per-record errors (KIP-467), v10 the new leader in the
 * response (KIP-951), v12 implicit transaction membership (KIP-890), v13 topic ids (KIP-516).
 *
 * Versions 0 to 2 are advertised, as Apache Kafka 4 does, because librdkafka detects features by them; they are not
 * served.
 */
export const produce = api({
  key: 0,
  name: "Produce",
  versions: "3-13",
  advertisedVersionMin: 0,
  flexibleVersions: "9+",
  request: struct({
    transactionalId: transactionalId("3+", { nullable: "3+", default: null }),
    acks: int16("0+"),
    timeoutMs: int32("0+"),
    topicData: array(topicData, "0+"),
  }),
  response: struct({
    responses: array(topicResponse, "0+"),
    throttleTimeMs: int32("1+", { ignorable: true, default: 0 }),
    nodeEndpoints: array(nodeEndpoint, "10+", { tag: 0, advisory: true }),
  }),
});

export type ProduceRequest = Decoded<typeof produce.request>;
export type ProduceTopicData = Decoded<typeof topicData>;
export type ProducePartitionData = Decoded<typeof partitionData>;
export type ProduceResponse = Encodable<typeof produce.response>;
export type ProduceTopicResponse = Encodable<typeof topicResponse>;
export type ProducePartitionResponse = Encodable<typeof partitionResponse>;
export type ProduceRecordError = Encodable<typeof recordError>;
