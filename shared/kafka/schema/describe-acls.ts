import { api, array, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

/** The pattern type of ACLs before v1 of the ACL messages. */
const LITERAL_PATTERN = 3;

const acl = struct({
  principal: string("0+"),
  host: string("0+"),
  operation: int8("0+"),
  permissionType: int8("0+"),
});

const resource = struct({
  resourceType: int8("0+"),
  resourceName: string("0+"),
  patternType: int8("1+", { default: LITERAL_PATTERN }),
  acls: array(acl, "0+"),
});

/** ACLs that match a filter; null matches anything. v1 adds pattern types (KIP-290). */
export const describeAcls = api({
  key: 29,
  name: "DescribeAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: struct({
    resourceTypeFilter: int8("0+"),
    resourceNameFilter: string("0+", { nullable: "0+" }),
    patternTypeFilter: int8("1+", { default: LITERAL_PATTERN }),
    principalFilter: string("0+", { nullable: "0+" }),
    hostFilter: string("0+", { nullable: "0+" }),
    operation: int8("0+"),
    permissionType: int8("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    resources: array(resource, "0+"),
  }),
});

export type DescribeAclsRequest = Decoded<typeof describeAcls.request>;
export type DescribeAclsResponse = Encodable<typeof describeAcls.response>;
export type DescribeAclsResource = Encodable<typeof resource>;
