import {
  api,
  array,
  bytes,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
} from "../codec/fields.ts";

const deletion = struct({
  name: string("0+"),
  mechanism: int8("0+"),
});

const upsertion = struct({
  name: string("0+"),
  mechanism: int8("0+"),
  iterations: int32("0+"),
  salt: bytes("0+"),
  saltedPassword: bytes("0+"),
});

const result = struct({
  user: string("0+"),
  errorCode: int16("0+"),
  errorMessage: string("0+", { nullable: "0+" }),
});

/** Sets and removes SCRAM credentials; the client sends the salted password, never the password (KIP-554). */
export const alterUserScramCredentials = api({
  key: 51,
  name: "AlterUserScramCredentials",
  versions: "0",
  flexibleVersions: "0+",
  request: struct({
    deletions: array(deletion, "0+"),
    upsertions: array(upsertion, "0+"),
  }),
  response: struct({
    throttleTimeMs: int32("0+", { default: 0 }),
    results: array(result, "0+"),
  }),
});

export type AlterUserScramCredentialsRequest = Decoded<typeof alterUserScramCredentials.request>;
export type AlterUserScramCredentialsResponse = Encodable<typeof alterUserScramCredentials.response>;
