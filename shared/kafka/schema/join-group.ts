import {
  api,
  array,
  bool,
  bytes,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const protocol = struct({
  name: string("0+"),
  metadata: bytes("0+"),
});

const member = struct({
  memberId: string("0+"),
  groupInstanceId: string("5+", { nullable: "5+", default: null, ignorable: true }),
  metadata: bytes("0+"),
});

/**
 * Joins a group of the classic protocol. v4 makes new members ask twice (KIP-394), v5 adds static membership
 * (KIP-345), v7 the protocol type (KIP-559), v8 a reason (KIP-800), v9 lets a leader skip assignment (KIP-814).
 */
export const joinGroup = api({
  key: 11,
  name: "JoinGroup",
  versions: "0-9",
  flexibleVersions: "6+",
  request: struct({
    groupId: groupId("0+"),
    sessionTimeoutMs: int32("0+"),
    rebalanceTimeoutMs: int32("1+", { default: -1, ignorable: true }),
    memberId: string("0+"),
    groupInstanceId: string("5+", { nullable: "5+", default: null }),
    protocolType: string("0+"),
    protocols: array(protocol, "0+"),
    reason: string("8+", { nullable: "8+", default: null, ignorable: true }),
  }),
  response: struct({
    throttleTimeMs: int32("2+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
    generationId: int32("0+", { default: -1 }),
    protocolType: string("7+", { nullable: "7+", default: null, ignorable: true }),
    protocolName: string("0+", { nullable: "7+" }),
    leader: string("0+"),
    skipAssignment: bool("9+", { default: false }),
    memberId: string("0+"),
    members: array(member, "0+"),
  }),
});

export type JoinGroupRequest = Decoded<typeof joinGroup.request>;
export type JoinGroupProtocol = Decoded<typeof protocol>;
export type JoinGroupResponse = Encodable<typeof joinGroup.response>;
export type JoinGroupResponseMember = Encodable<typeof member>;
