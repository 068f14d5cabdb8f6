import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
  topicName,
} from "../codec/fields.ts";

const requestTopic = struct({
  topic: topicName("0+"),
  partitions: array("int32", "0+"),
});

const partitionResult = struct({
  partitionId: int32("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
});

const topicResult = struct({
  topic: topicName("0+"),
  partitionResult: array(partitionResult, "0+"),
});

/** Asks for leader elections; null partitions mean all. v1 adds unclean ones (KIP-460). */
export const electLeaders = api({
  key: 43,
  name: "ElectLeaders",
  versions: "0-2",
  flexibleVersions: "2+",
  request: struct({
    electionType: int8("1+", { default: 0 }),
    topicPartitions: array(requestTopic, "0+", { nullable: "0+" }),
    timeoutMs: int32("0+", { default: 60_000 }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("1+", { default: 0 }),
    replicaElectionResults: array(topicResult, "0+"),
  }),
});

export type ElectLeadersRequest = Decoded<typeof electLeaders.request>;
export type ElectLeadersResponse = Encodable<typeof electLeaders.response>;
