import {
  api,
  array,
  bool,
  brokerId,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

/** What "authorized operations" fields hold when they were not asked for (int32 minimum). */
export const AUTHORIZED_OPERATIONS_NOT_ASKED = -2_147_483_648;

const requestTopic = struct({
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  name: topicName("0+", { nullable: "10+" }),
});

const broker = struct({
  nodeId: brokerId("0+"),
  host: string("0+"),
  port: int32("0+"),
  rack: string("1+", { nullable: "1+", default: null, ignorable: true }),
});

const partition = struct({
  errorCode: int16("0+"),
  partitionIndex: int32("0+"),
  leaderId: brokerId("0+"),
  leaderEpoch: int32("7+", { default: -1, ignorable: true }),
  replicaNodes: array("int32", "0+", { entity: "brokerId" }),
  isrNodes: array("int32", "0+", { entity: "brokerId" }),
  offlineReplicas: array("int32", "5+", { default: [], ignorable: true, entity: "brokerId" }),
});

const topic = struct({
  errorCode: int16("0+"),
  name: topicName("0+", { nullable: "12+" }),
  topicId: uuid("10+", { default: ZERO_UUID, ignorable: true }),
  isInternal: bool("1+", { default: false, ignorable: true }),
  partitions: array(partition, "0+"),
  topicAuthorizedOperations: int32("8+", { default: AUTHORIZED_OPERATIONS_NOT_ASKED }),
});

/**
 * Brokers, topics, partitions and their leaders. A null topic list means all topics (at v0 an empty one does). v7
 * adds leader epochs, v8 authorized operations (KIP-430), v10 topic ids (KIP-516), v12 look-up by id, v13 a top-level
 * error (KIP-1102).
 */
export const metadata = api({
  key: 3,
  name: "Metadata",
  versions: "0-13",
  flexibleVersions: "9+",
  request: struct({
    topics: array(requestTopic, "0+", { nullable: "1+" }),
    allowAutoTopicCreation: bool("4+", { default: true }),
    includeClusterAuthorizedOperations: bool("8-10", { default: false }),
    includeTopicAuthorizedOperations: bool("8+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("3+", { default: 0, ignorable: true }),
    brokers: array(broker, "0+"),
    clusterId: string("2+", { nullable: "2+", default: null, ignorable: true }),
    controllerId: brokerId("1+", { default: -1, ignorable: true }),
    topics: array(topic, "0+"),
    clusterAuthorizedOperations: int32("8-10", { default: AUTHORIZED_OPERATIONS_NOT_ASKED }),
    errorCode: int16("13+", { default: 0, ignorable: true }),
  }),
});

export type MetadataRequest = Decoded<typeof metadata.request>;
export type MetadataResponse = Encodable<typeof metadata.response>;
export type MetadataBroker = Encodable<typeof broker>;
export type MetadataTopic = Encodable<typeof topic>;
export type MetadataPartition = Encodable<typeof partition>;
