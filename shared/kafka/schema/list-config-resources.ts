import { api, array, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

/** Client metrics resources, the only kind that v0 lists. */
const CLIENT_METRICS = 16;

const resource = struct({
  resourceName: string("0+"),
  resourceType: int8("1+", { default: CLIENT_METRICS, ignorable: true }),
});

/** Resources that have a configuration. v0 knew client metrics only; v1 names types, none meaning all (KIP-1142). */
export const listConfigResources = api({
  key: 74,
  name: "ListConfigResources",
  versions: "0-1",
  flexibleVersions: "0+",
  request: struct({
    resourceTypes: array("int8", "1+", { default: [] }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    configResources: array(resource, "0+"),
  }),
});

export type ListConfigResourcesRequest = Decoded<typeof listConfigResources.request>;
export type ListConfigResourcesResponse = Encodable<typeof listConfigResources.response>;
