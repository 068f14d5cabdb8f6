import { api, array, bool, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

/** What a configuration belongs to. */
export const configResourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

const resource = struct({
  resourceType: int8("0+"),
  resourceName: string("0+"),
  configurationKeys: array("string", "0+", { nullable: "0+" }),
});

const synonym = struct({
  name: string("1+"),
  value: string("1+", { nullable: "0+" }),
  source: int8("1+"),
});

const config = struct({
  name: string("0+"),
  value: string("0+", { nullable: "0+" }),
  readOnly: bool("0+"),
  configSource: int8("1+", { default: -1, ignorable: true }),
  isSensitive: bool("0+"),
  synonyms: array(synonym, "1+", { default: [], ignorable: true }),
  configType: int8("3+", { default: 0, ignorable: true }),
  documentation: string("3+", { nullable: "0+", default: "", ignorable: true }),
});

const result = struct({
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  resourceType: int8("0+"),
  resourceName: string("0+"),
  configs: array(config, "0+"),
});

/** Configurations of topics, brokers and groups; null keys ask for all. v3 adds types and documentation (KIP-569). */
export const describeConfigs = api({
  key: 32,
  name: "DescribeConfigs",
  versions: "1-4",
  flexibleVersions: "4+",
  request: struct({
    resources: array(resource, "0+"),
    includeSynonyms: bool("1+", { default: false }),
    includeDocumentation: bool("3+", { default: false }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    results: array(result, "0+"),
  }),
});

export type DescribeConfigsRequest = Decoded<typeof describeConfigs.request>;
export type DescribeConfigsResource = Decoded<typeof resource>;
export type DescribeConfigsResponse = Encodable<typeof describeConfigs.response>;
export type DescribeConfigsResult = Encodable<typeof result>;
export type DescribeConfigsEntry = Encodable<typeof config>;
export type DescribeConfigsSynonym = Encodable<typeof synonym>;
