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
  object,
  producerId,
  records,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";
import { ZERO_UUID } from "../codec/uuid.ts";

const replicaState = struct({
  replicaId: brokerId("15+", { default: -1 }),
  replicaEpoch: int64("15+", { default: -1 }),
});

const fetchPartition = struct({
  partition: int32("0+"),
  currentLeaderEpoch: int32("9+", { default: -1, ignorable: true }),
  fetchOffset: int64("0+"),
  lastFetchedEpoch: int32("12+", { default: -1 }),
  logStartOffset: int64("5+", { default: -1, ignorable: true }),
  partitionMaxBytes: int32("0+"),
  replicaDirectoryId: uuid("17+", { tag: 0, ignorable: true }),
  highWatermark: int64("18+", { tag: 1, default: Number.MAX_SAFE_INTEGER, ignorable: true }),
});

const fetchTopic = struct({
  topic: topicName("0-12", { default: "", ignorable: true }),
  topicId: uuid("13+", { default: ZERO_UUID, ignorable: true }),
  partitions: array(fetchPartition, "0+"),
});

const forgottenTopic = struct({
  topic: topicName("7-12", { default: "", ignorable: true }),
  topicId: uuid("13+", { default: ZERO_UUID, ignorable: true }),
  partitions: array("int32", "7+"),
});

const epochEndOffset = struct({
  epoch: int32("12+", { default: -1 }),
  endOffset: int64("12+", { default: -1 }),
});

const leaderIdAndEpoch = struct({
  leaderId: brokerId("12+", { default: -1 }),
  leaderEpoch: int32("12+", { default: -1 }),
});

const snapshotId = struct({
  endOffset: int64("0+", { default: -1 }),
  epoch: int32("0+", { default: -1 }),
});

const abortedTransaction = struct({
  producerId: producerId("4+"),
  firstOffset: int64("4+"),
});

const partitionData = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
  highWatermark: int64("0+"),
  lastStableOffset: int64("4+", { default: -1, ignorable: true }),
  logStartOffset: int64("5+", { default: -1, ignorable: true }),
  divergingEpoch: object(epochEndOffset, "12+", { tag: 0 }),
  currentLeader: object(leaderIdAndEpoch, "12+", { tag: 1, advisory: true }),
  snapshotId: object(snapshotId, "12+", { tag: 2 }),
  abortedTransactions: array(abortedTransaction, "4+", { nullable: "4+", ignorable: true }),
  preferredReadReplica: brokerId("11+", { default: -1 }),
  records: records("0+", { nullable: "0+" }),
});

const topicResponse = struct({
  topic: topicName("0-12", { default: "", ignorable: true }),
  topicId: uuid("13+", { default: ZERO_UUID, ignorable: true }),
  partitions: array(partitionData, "0+"),
});

const nodeEndpoint = struct({
  nodeId: brokerId("16+"),
  host: string("16+"),
  port: int32("16+"),
  rack: string("16+", { nullable: "16+", default: null }),
});

/**
 * Reads record batches. v5 adds the log start offset, v7 incremental sessions (KIP-227), v9 leader epoch fencing
 * (KIP-320), v11 the consumer's rack (KIP-392), v12 diverging epochs (KIP-595), v13 topic ids (KIP-516), v15 replica
 * state in a tag (KIP-903), v16 endpoints of new leaders (KIP-951), v17 and v18 fields that only replicas send
 * (KIP-853, KIP-1166).
 */
export const fetch = api({
  key: 1,
  name: "Fetch",
  versions: "4-18",
  flexibleVersions: "12+",
  request: struct({
    clusterId: string("12+", { tag: 0, nullable: "12+", default: null, ignorable: true }),
    replicaId: brokerId("0-14", { default: -1 }),
    replicaState: object(replicaState, "15+", { tag: 1 }),
    maxWaitMs: int32("0+"),
    minBytes: int32("0+"),
    maxBytes: int32("3+", { default: 0x7fff_ffff, ignorable: true }),
    isolationLevel: int8("4+", { default: 0, ignorable: true }),
    sessionId: int32("7+", { default: 0, ignorable: true }),
    sessionEpoch: int32("7+", { default: -1, ignorable: true }),
    topics: array(fetchTopic, "0+"),
    forgottenTopicsData: array(forgottenTopic, "7+", { default: [] }),
    rackId: string("11+", { default: "", ignorable: true }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("7+", { default: 0, ignorable: true }),
    sessionId: int32("7+", { default: 0 }),
    responses: array(topicResponse, "0+"),
    nodeEndpoints: array(nodeEndpoint, "16+", { tag: 0, advisory: true }),
  }),
});

export type FetchRequest = Decoded<typeof fetch.request>;
export type FetchTopic = Decoded<typeof fetchTopic>;
export type FetchPartition = Decoded<typeof fetchPartition>;
export type FetchResponse = Encodable<typeof fetch.response>;
export type FetchTopicResponse = Encodable<typeof topicResponse>;
export type FetchPartitionData = Encodable<typeof partitionData>;
