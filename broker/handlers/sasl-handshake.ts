/**
 * SaslHandshake, v0 and v1.
 *
 * Chooses the SASL mechanism and lists those on offer. After v0 the client sends bare tokens, after v1 SaslAuthenticate
 * requests. ILLEGAL_SASL_STATE where no authentication is expected; UNSUPPORTED_SASL_MECHANISM also ends the connection.
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { saslHandshake } from "../../shared/kafka/schema/sasl-handshake.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

export const saslHandshakeHandler: Handler<typeof saslHandshake> = {
  api: saslHandshake,
  minVersion: saslHandshake.versions.min,
  maxVersion: saslHandshake.versions.max,
  memoryEstimate: decodedBytes,
  handle({ session, version }, { mechanism }) {
    const error = session.sasl.choose(mechanism, version === 0);
    return { errorCode: errorCode[error], mechanisms: session.sasl.mechanisms };
  },
};
