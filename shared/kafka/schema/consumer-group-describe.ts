import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  groupId,
  int8,
  int16,
  int32,
  object,
  string,
  struct,
  topicName,
  uuid,
} from "../codec/fields.ts";

const topicPartitions = struct({
  topicId: uuid("0+"),
  topicName: topicName("0+"),
  partitions: array("int32", "0+"),
});

const assignment = struct({
  topicPartitions: array(topicPartitions, "0+"),
});

const member = struct({
  memberId: string("0+"),
  instanceId: string("0+", { nullable: "0+", default: null }),
  rackId: string("0+", { nullable: "0+", default: null }),
  memberEpoch: int32("0+"),
  clientId: string("0+"),
  clientHost: string("0+"),
  subscribedTopicNames: array("string", "0+", { entity: "topicName" }),
  subscribedTopicRegex: string("0+", { nullable: "0+", default: null }),
  assignment: object(assignment, "0+"),
  targetAssignment: object(assignment, "0+"),
  memberType: int8("1+", { default: -1, ignorable: true }),
});

const group = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+", default: null }),
  groupId: groupId("0+"),
  groupState: string("0+"),
  groupEpoch: int32("0+"),
  assignmentEpoch: int32("0+"),
  assignorName: string("0+"),
  members: array(member, "0+"),
  authorizedOperations: int32("0+", { default: -2_147_483_648 }),
});

/** Groups of the new consumer protocol with their members (KIP-848). v1 adds the member type (KIP-1099). */
export const consumerGroupDescribe = api({
  key: 69,
  name: "ConsumerGroupDescribe",
  versions: "0-1",
  flexibleVersions: "0+",
  request: struct({
    groupIds: array("string", "0+", { entity: "groupId" }),
    includeAuthorizedOperations: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    groups: array(group, "0+"),
  }),
});

export type ConsumerGroupDescribeRequest = Decoded<typeof consumerGroupDescribe.request>;
export type ConsumerGroupDescribeResponse = Encodable<typeof consumerGroupDescribe.response>;
export type DescribedConsumerGroup = Encodable<typeof group>;
export type DescribedConsumerGroupMember = Encodable<typeof member>;
