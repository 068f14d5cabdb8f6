import {
  api,
  array,
  bool,
  brokerId,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const broker = struct({
  brokerId: brokerId("0+"),
  host: string("0+"),
  port: int32("0+"),
  rack: string("0+", { nullable: "0+", default: null }),
  isFenced: bool("2+", { default: false, advisory: true }),
});

/** Cluster id, controller and brokers (KIP-700). v1 adds the endpoint type (KIP-919), v2 fenced brokers (KIP-1073). */
export const describeCluster = api({
  key: 60,
  name: "DescribeCluster",
  versions: "0-2",
  flexibleVersions: "0+",
  request: struct({
    includeClusterAuthorizedOperations: bool("0+"),
    endpointType: int8("1+", { default: 1 }),
    includeFencedBrokers: bool("2+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    endpointType: int8("1+", { default: 1 }),
    clusterId: string("0+"),
    controllerId: brokerId("0+", { default: -1 }),
    brokers: array(broker, "0+"),
    clusterAuthorizedOperations: int32("0+", { default: -2_147_483_648 }),
  }),
});

export type DescribeClusterRequest = Decoded<typeof describeCluster.request>;
export type DescribeClusterResponse = Encodable<typeof describeCluster.response>;
export type DescribeClusterBroker = Encodable<typeof broker>;
