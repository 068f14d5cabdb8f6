import { api, bytes, type Decoded, type Encodable, int16, int64, string, struct } from "../codec/fields.ts";

/** One step of a SASL exchange. v1 adds the session's lifetime for re-authentication (KIP-368). */
export const saslAuthenticate = api({
  key: 36,
  name: "SaslAuthenticate",
  versions: "0-2",
  flexibleVersions: "2+",
  request: struct({
    authBytes: bytes("0+"),
  }),
  response: struct({
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    authBytes: bytes("0+"),
    sessionLifetimeMs: int64("1+", { default: 0, ignorable: true }),
  }),
});

export type SaslAuthenticateRequest = Decoded<typeof saslAuthenticate.request>;
export type SaslAuthenticateResponse = Encodable<typeof saslAuthenticate.response>;
