import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
  struct,
} from "../codec/fields.ts";

const apiVersion = struct({
  apiKey: int16("0+"),
  minVersion: int16("0+"),
  maxVersion: int16("0+"),
});

const supportedFeature = struct({
  name: string("3+"),
  minVersion: int16("3+"),
  maxVersion: int16("3+"),
});

const finalizedFeature = struct({
  name: string("3+"),
  maxVersionLevel: int16("3+"),
  minVersionLevel: int16("3+"),
});

/**
 * Which APIs and versions the broker serves. A request of an unknown version is answered at version 0 with
 * UNSUPPORTED_VERSION, and the response header never has tags, so that any client can read it (KIP-511). v3 adds
 * feature flags (KIP-584), v4 supported features whose lowest version is 0.
 */
export const apiVersions = api({
  key: 18,
  name: "ApiVersions",
  versions: "0-4",
  flexibleVersions: "3+",
  request: struct({
    clientSoftwareName: string("3+", { default: "", ignorable: true }),
    clientSoftwareVersion: string("3+", { default: "", ignorable: true }),
  }),
  response: struct({
    errorCode: int16("0+"),
    apiKeys: array(apiVersion, "0+"),
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    supportedFeatures: array(supportedFeature, "3+", { tag: 0, ignorable: true }),
    finalizedFeaturesEpoch: int64("3+", { tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: array(finalizedFeature, "3+", { tag: 2, ignorable: true }),
    zkMigrationReady: bool("3+", { tag: 3, default: false, ignorable: true }),
  }),
});

export type ApiVersionsRequest = Decoded<typeof apiVersions.request>;
export type ApiVersionsResponse = Encodable<typeof apiVersions.response>;
export type ApiVersion = Encodable<typeof apiVersion>;
