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

const member = struct({
  memberId: string("0+"),
  groupInstanceId: string("4+", { nullable: "4+", default: null, ignorable: true }),
  clientId: string("0+"),
  clientHost: string("0+"),
  memberMetadata: bytes("0+"),
  memberAssignment: bytes("0+"),
});

const group = struct({
  errorCode: int16("0+"),
  errorMessage: string("6+", { nullable: "6+", default: null, advisory: true }),
  groupId: groupId("0+"),
  groupState: string("0+"),
  protocolType: string("0+"),
  protocolData: string("0+"),
  members: array(member, "0+"),
  authorizedOperations: int32("3+", { default: -2_147_483_648 }),
});

/** Groups of the classic protocol with their members. v6 answers GROUP_ID_NOT_FOUND with a message (KIP-1043). */
export const describeGroups = api({
  key: 15,
  name: "DescribeGroups",
  versions: "0-6",
  flexibleVersions: "5+",
  request: struct({
    groups: array("string", "0+", { entity: "groupId" }),
    includeAuthorizedOperations: bool("3+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    groups: array(group, "0+"),
  }),
});

export type DescribeGroupsRequest = Decoded<typeof describeGroups.request>;
export type DescribeGroupsResponse = Encodable<typeof describeGroups.response>;
export type DescribedGroup = Encodable<typeof group>;
export type DescribedGroupMember = Encodable<typeof member>;
