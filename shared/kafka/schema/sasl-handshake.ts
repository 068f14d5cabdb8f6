import { api, array, type Decoded, type Encodable, int16, string, struct } from "../codec/fields.ts";

/**
 * Chooses a SASL mechanism. After v0 the client sends bare tokens, after v1 SaslAuthenticate requests. Never flexible:
 * it may be a client's first message.
 */
export const saslHandshake = api({
  key: 17,
  name: "SaslHandshake",
  versions: "0-1",
  request: struct({
    mechanism: string("0+"),
  }),
  response: struct({
    errorCode: int16("0+"),
    mechanisms: array("string", "0+"),
  }),
});

export type SaslHandshakeRequest = Decoded<typeof saslHandshake.request>;
export type SaslHandshakeResponse = Encodable<typeof saslHandshake.response>;
