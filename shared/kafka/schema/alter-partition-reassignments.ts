import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestPartition = struct({
  partitionIndex: int32("0+"),
  replicas: array("int32", "0+", { nullable: "0+", default: null, entity: "brokerId" }),
});

const requestTopic = struct({
  name: topicName("0+"),
  partitions: array(requestPartition, "0+"),
});

const responsePartition = struct({
  partitionIndex: int32("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
});

const responseTopic = struct({
  name: topicName("0+"),
  partitions: array(responsePartition, "0+"),
});

/** Moves partitions to other replicas; null replicas cancel a move (KIP-455). */
export const alterPartitionReassignments = api({
  key: 45,
  name: "AlterPartitionReassignments",
  versions: "0-1",
  flexibleVersions: "0+",
  request: struct({
    timeoutMs: int32("0+", { default: 60_000 }),
    allowReplicationFactorChange: bool("1+", { default: true }),
    topics: array(requestTopic, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    allowReplicationFactorChange: bool("1+", { default: true, ignorable: true }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    responses: array(responseTopic, "0+"),
  }),
});

export type AlterPartitionReassignmentsRequest = Decoded<typeof alterPartitionReassignments.request>;
export type AlterPartitionReassignmentsResponse = Encodable<typeof alterPartitionReassignments.response>;
