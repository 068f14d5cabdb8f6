import { api, array, type Decoded, type Encodable, groupId, int16, int32, string, struct } from "../codec/fields.ts";

const requestMember = struct({
  memberId: string("3+"),
  groupInstanceId: string("3+", { nullable: "3+", default: null }),
  reason: string("5+", { nullable: "5+", default: null, ignorable: true }),
});

const responseMember = struct({
  memberId: string("3+"),
  groupInstanceId: string("3+", { nullable: "3+" }),
  errorCode: int16("3+"),
});

/** Leaves a group. v3 removes many members at once (KIP-345), v5 adds a reason (KIP-800). */
export const leaveGroup = api({
  key: 13,
  name: "LeaveGroup",
  versions: "0-5",
  flexibleVersions: "4+",
  request: struct({
    groupId: groupId("0+"),
    memberId: string("0-2", { default: "" }),
    members: array(requestMember, "3+", { default: [] }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
    members: array(responseMember, "3+", { default: [] }),
  }),
});

export type LeaveGroupRequest = Decoded<typeof leaveGroup.request>;
export type LeaveGroupResponse = Encodable<typeof leaveGroup.response>;
export type LeaveGroupMemberResponse = Encodable<typeof responseMember>;
