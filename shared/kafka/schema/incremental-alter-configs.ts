import { api, array, bool, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

/** What to do with a configuration key. Append and subtract work on lists only. */
export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

const config = struct({
  name: string("0+"),
  configOperation: int8("0+"),
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

/** Changes single configuration keys and leaves the others alone (KIP-339). */
export const incrementalAlterConfigs = api({
  key: 44,
  name: "IncrementalAlterConfigs",
  versions: "0-1",
  flexibleVersions: "1+",
  request: struct({
    resources: array(resource, "0+"),
    validateOnly: bool("0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    responses: array(resourceResponse, "0+"),
  }),
});

export type IncrementalAlterConfigsRequest = Decoded<typeof incrementalAlterConfigs.request>;
export type IncrementalAlterConfigsResponse = Encodable<typeof incrementalAlterConfigs.response>;
export type IncrementalAlterConfigsResourceResponse = Encodable<typeof resourceResponse>;
