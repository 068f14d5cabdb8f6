import { api, array, type Decoded, type Encodable, groupId, int16, int32, struct } from "../codec/fields.ts";

const result = struct({
  groupId: groupId("0+"),
  errorCode: int16("0+"),
});

/** Deletes empty groups with their offsets (KIP-229). */
export const deleteGroups = api({
  key: 42,
  name: "DeleteGroups",
  versions: "0-2",
  flexibleVersions: "2+",
  request: struct({
    groupsNames: array("string", "0+", { entity: "groupId" }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    results: array(result, "0+"),
  }),
});

export type DeleteGroupsRequest = Decoded<typeof deleteGroups.request>;
export type DeleteGroupsResponse = Encodable<typeof deleteGroups.response>;
export type DeletableGroupResult = Encodable<typeof result>;
