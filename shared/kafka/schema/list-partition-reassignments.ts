import { api, array, type Decoded, type Encodable, int16, int32, string, struct, topicName } from "../codec/fields.ts";

const requestTopic = struct({
  name: topicName("0+"),
  partitionIndexes: array("int32", "0+"),
});

const partition = struct({
  partitionIndex: int32("0+"),
  replicas: array("int32", "0+", { entity: "brokerId" }),
  addingReplicas: array("int32", "0+", { entity: "brokerId" }),
  removingReplicas: array("int32", "0+", { entity: "brokerId" }),
});

const topic = struct({
  name: topicName("0+"),
  partitions: array(partition, "0+"),
});

/** Reassignments under way (KIP-455); null topics ask for all. `kafka-topics --describe` sends it. */
export const listPartitionReassignments = api({
  key: 46,
  name: "ListPartitionReassignments",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    timeoutMs: int32("0+", { default: 60_000 }),
    topics: array(requestTopic, "0+", { nullable: "0+", default: null }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    topics: array(topic, "0+"),
  }),
});

export type ListPartitionReassignmentsRequest = Decoded<typeof listPartitionReassignments.request>;
export type ListPartitionReassignmentsResponse = Encodable<typeof listPartitionReassignments.response>;
