/**
 * SaslAuthenticate, v0 to v2.
 *
 * Carries one token of the chosen mechanism; PLAIN needs one. A wrong secret is answered with
 * SASL_AUTHENTICATION_FAILED after a delay, then the connection closes. v1 tells how long the authentication lasts
 * (KIP-368).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { saslAuthenticate } from "../../shared/kafka/schema/sasl-authenticate.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const noBytes = Buffer.alloc(0);

export const saslAuthenticateHandler: Handler<typeof saslAuthenticate> = {
  api: saslAuthenticate,
  minVersion: saslAuthenticate.versions.min,
  maxVersion: saslAuthenticate.versions.max,
  memoryEstimate: decodedBytes,
  async handle({ session }, { authBytes }) {
    const { error, message, lifetimeMs } = await session.sasl.authenticate(authBytes);
    return {
      errorCode: errorCode[error],
      errorMessage: message,
      authBytes: noBytes,
      sessionLifetimeMs: lifetimeMs,
    };
  },
};
