import { api, array, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

const LITERAL_PATTERN = 3;

const filter = struct({
  resourceTypeFilter: int8("0+"),
  resourceNameFilter: string("0+", { nullable: "0+" }),
  patternTypeFilter: int8("1+", { default: LITERAL_PATTERN }),
  principalFilter: string("0+", { nullable: "0+" }),
  hostFilter: string("0+", { nullable: "0+" }),
  operation: int8("0+"),
  permissionType: int8("0+"),
});

const matchingAcl = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  resourceType: int8("0+"),
  resourceName: string("0+"),
  patternType: int8("1+", { default: LITERAL_PATTERN }),
  principal: string("0+"),
  host: string("0+"),
  operation: int8("0+"),
  permissionType: int8("0+"),
});

const filterResult = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  matchingAcls: array(matchingAcl, "0+"),
});

/** Removes the ACLs that match filters; results are in the order of the filters. v1 adds pattern types (KIP-290). */
export const deleteAcls = api({
  key: 31,
  name: "DeleteAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: struct({
    filters: array(filter, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    filterResults: array(filterResult, "0+"),
  }),
});

export type DeleteAclsRequest = Decoded<typeof deleteAcls.request>;
export type DeleteAclsFilter = Decoded<typeof filter>;
export type DeleteAclsResponse = Encodable<typeof deleteAcls.response>;
export type DeleteAclsFilterResult = Encodable<typeof filterResult>;
export type DeleteAclsMatchingAcl = Encodable<typeof matchingAcl>;
