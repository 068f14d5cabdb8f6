import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const assignment = struct({
  partitionIndex: int32("0+"),
  brokerIds: array("int32", "0+", { entity: "brokerId" }),
});

const requestConfig = struct({
  name: string("0+"),
  value: string("0+", { nullable: "0+" }),
});

const requestTopic = struct({
  name: topicName("0+"),
  numPartitions: int32("0+"),
  replicationFactor: int16("0+"),
  assignments: array(assignment, "0+"),
  configs: array(requestConfig, "0+"),
});

const responseConfig = struct({
  name: string("5+"),
  value: string("5+", { nullable: "5+" }),
  readOnly: bool("5+"),
  configSource: int8("5+", { default: -1, ignorable: true }),
  isSensitive: bool("5+"),
});

const responseTopic = struct({
  name: topicName("0+"),
  topicId: uuid("7+", { default: ZERO_UUID, ignorable: true }),
  errorCode: int16("0+"),
  errorMessage: string("1+", { nullable: "0+", ignorable: true }),
  topicConfigErrorCode: int16("5+", { tag: 0, ignorable: true }),
  numPartitions: int32("5+", { default: -1, ignorable: true }),
  replicationFactor: int16("5+", { default: -1, ignorable: true }),
  configs: array(responseConfig, "5+", { nullable: "5+", default: [], ignorable: true }),
});

/**
 * Creates topics. -1 as partition count or replication factor asks for the broker's default (v4, KIP-464); v5 returns
 * the resulting configuration (KIP-525), v6 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599), v7 returns topic ids.
 */
export const createTopics = api({
  key: 19,
  name: "CreateTopics",
  versions: "2-7",
  flexibleVersions: "5+",
  request: struct({
    topics: array(requestTopic, "0+"),
    timeoutMs: int32("0+", { default: 60_000 }),
    validateOnly: bool("1+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("2+", { default: 0, ignorable: true }),
    topics: array(responseTopic, "0+"),
  }),
});

export type CreateTopicsRequest = Decoded<typeof createTopics.request>;
export type CreatableTopic = Decoded<typeof requestTopic>;
export type CreateTopicsResponse = Encodable<typeof createTopics.response>;
export type CreateTopicsTopicResponse = Encodable<typeof responseTopic>;
export type CreateTopicsConfigResponse = Encodable<typeof responseConfig>;
