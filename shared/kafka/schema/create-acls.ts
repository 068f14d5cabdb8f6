import { api, array, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

const LITERAL_PATTERN = 3;

const creation = struct({
  resourceType: int8("0+"),
  resourceName: string("0+"),
  resourcePatternType: int8("1+", { default: LITERAL_PATTERN }),
  principal: string("0+"),
  host: string("0+"),
  operation: int8("0+"),
  permissionType: int8("0+"),
});

const result = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
});

/** Adds ACLs; results are in the order of the creations. v1 adds pattern types (KIP-290). */
export const createAcls = api({
  key: 30,
  name: "CreateAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: struct({
    creations: array(creation, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    results: array(result, "0+"),
  }),
});

export type CreateAclsRequest = Decoded<typeof createAcls.request>;
export type AclCreation = Decoded<typeof creation>;
export type CreateAclsResponse = Encodable<typeof createAcls.response>;
