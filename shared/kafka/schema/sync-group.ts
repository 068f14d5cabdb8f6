import {
  api,
  array,
  bytes,
  type Decoded,
  type Encodable,
  groupId,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const assignment = struct({
  memberId: string("0+"),
  assignment: bytes("0+"),
});

/** Hands the leader's assignments to the members. v3 adds static membership, v5 the protocol (KIP-559). */
export const syncGroup = api({
  key: 14,
  name: "SyncGroup",
  versions: "0-5",
  flexibleVersions: "4+",
  request: struct({
    groupId: groupId("0+"),
    generationId: int32("0+"),
    memberId: string("0+"),
    groupInstanceId: string("3+", { nullable: "3+", default: null }),
    protocolType: string("5+", { nullable: "5+", default: null, ignorable: true }),
    protocolName: string("5+", { nullable: "5+", default: null, ignorable: true }),
    assignments: array(assignment, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
    protocolType: string("5+", { nullable: "5+", default: null, ignorable: true }),
    protocolName: string("5+", { nullable: "5+", default: null, ignorable: true }),
    assignment: bytes("0+"),
  }),
});

export type SyncGroupRequest = Decoded<typeof syncGroup.request>;
export type SyncGroupAssignment = Decoded<typeof assignment>;
export type SyncGroupResponse = Encodable<typeof syncGroup.response>;
