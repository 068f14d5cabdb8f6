import {
  api,
  array,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  object,
  string,
  struct,
  uuid,
} from "../codec/fields.ts";

const topicPartitions = struct({
  topicId: uuid("0+"),
  partitions: array("int32", "0+"),
});

const assignment = struct({
  topicPartitions: array(topicPartitions, "0+"),
});

/**
 * The one message of the new consumer group protocol (KIP-848): joins, keeps alive, reports and receives assignments,
 * leaves. In a request null and -1 mean "unchanged since the last heartbeat". v1 adds subscription by RE2J pattern and
 * member ids made by the client (KIP-1082).
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: "ConsumerGroupHeartbeat",
  versions: "0-1",
  flexibleVersions: "0+",
  request: struct({
    groupId: groupId("0+"),
    memberId: string("0+"),
    memberEpoch: int32("0+"),
    instanceId: string("0+", { nullable: "0+", default: null }),
    rackId: string("0+", { nullable: "0+", default: null }),
    rebalanceTimeoutMs: int32("0+", { default: -1 }),
    subscribedTopicNames: array("string", "0+", { nullable: "0+", default: null, entity: "topicName" }),
    subscribedTopicRegex: string("1+", { nullable: "1+", default: null }),
    serverAssignor: string("0+", { nullable: "0+", default: null }),
    topicPartitions: array(topicPartitions, "0+", { nullable: "0+", default: null }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    memberId: string("0+", { nullable: "0+", default: null }),
    memberEpoch: int32("0+"),
    heartbeatIntervalMs: int32("0+"),
    assignment: object(assignment, "0+", { nullable: "0+", default: null }),
  }),
});

export type ConsumerGroupHeartbeatRequest = Decoded<typeof consumerGroupHeartbeat.request>;
export type ConsumerGroupHeartbeatResponse = Encodable<typeof consumerGroupHeartbeat.response>;
export type ConsumerGroupTopicPartitions = Encodable<typeof topicPartitions>;
