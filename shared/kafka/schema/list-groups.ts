import { api, array, type Decoded, type Encodable, groupId, int16, int32, string, struct } from "../codec/fields.ts";

const group = struct({
  groupId: groupId("0+"),
  protocolType: string("0+"),
  groupState: string("4+", { default: "", ignorable: true }),
  groupType: string("5+", { default: "", ignorable: true }),
});

/** All groups this broker coordinates. v4 filters by state (KIP-518), v5 by type (KIP-848). */
export const listGroups = api({
  key: 16,
  name: "ListGroups",
  versions: "0-5",
  flexibleVersions: "3+",
  request: struct({
    statesFilter: array("string", "4+", { default: [] }),
    typesFilter: array("string", "5+", { default: [] }),
  }),
  response: struct({
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    errorCode: int16("0+"),
    groups: array(group, "0+"),
  }),
});

export type ListGroupsRequest = Decoded<typeof listGroups.request>;
export type ListGroupsResponse = Encodable<typeof listGroups.response>;
export type ListedGroup = Encodable<typeof group>;
