import { api, array, type Decoded, type Encodable, int8, int16, int32, string, struct } from "../codec/fields.ts";

const user = struct({
  name: string("0+"),
});

const credential = struct({
  mechanism: int8("0+"),
  iterations: int32("0+"),
});

const result = struct({
  user: string("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
  credentialInfos: array(credential, "0+"),
});

/** Which SCRAM credentials users have, never the secrets (KIP-554). Null or no users ask for all. */
export const describeUserScramCredentials = api({
  key: 50,
  name: "DescribeUserScramCredentials",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    users: array(user, "0+", { nullable: "0+" }),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    results: array(result, "0+"),
  }),
});

export type DescribeUserScramCredentialsRequest = Decoded<typeof describeUserScramCredentials.request>;
export type DescribeUserScramCredentialsResponse = Encodable<typeof describeUserScramCredentials.response>;
