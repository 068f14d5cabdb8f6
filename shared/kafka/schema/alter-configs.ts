import { api, array, bool, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

const config = struct({
  name: string("0+"),
  value: string("0+", { nullable: "0+" }),
});

const resource = struct({
  resourceType: int8("0+"),
  resourceName: string("0+"),
  configs: array(config, "0+"),
});

const resourceResponse = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  resourceType: int8("0+"),
  resourceName: string("0+"),
});

/** Replaces the whole dynamic configuration of each resource: keys not named return to their default. */
export const alterConfigs = api({
  key: 33,
  name: "AlterConfigs",
  versions: "0-2",
  flexibleVersions: "2+",
  request: struct({
    resources: array(resource, "0+"),
    validateOnly: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    responses: array(resourceResponse, "0+"),
  }),
});

export type AlterConfigsRequest = Decoded<typeof alterConfigs.request>;
export type AlterConfigsResponse = Encodable<typeof alterConfigs.response>;
export type AlterConfigsResourceResponse = Encodable<typeof resourceResponse>;
