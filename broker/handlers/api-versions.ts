/**
 * ApiVersions, v0 to v4.
 *
 * Lists exactly the APIs and versions that this broker serves. May be asked before authentication, and again at any
 * time. A version from the future is answered at v0 with UNSUPPORTED_VERSION and the range of ApiVersions itself, from
 * which the client learns what to ask (KIP-511).
 *
 * v1 throttle time; v3 the client's name and version, which must look like one (INVALID_REQUEST), and feature flags
 * (KIP-584); v4 supported features whose lowest version is 0. No feature is announced: without `transaction.version` and
 * `group.version` clients keep to the older protocols, which is what is served.
 */
import { encodeResponse } from "../../shared/kafka/codec/message-codec.ts";
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { type ApiVersion, apiVersions } from "../../shared/kafka/schema/api-versions.ts";
import type { Handler } from "./context/handler.ts";
import { decodedBytes } from "./limits.ts";

const clientSoftwareFrom = 3;
const clientSoftwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
/** Longer names are refused before the pattern looks at them. */
const clientSoftwareCharactersMax = 256;

export function createApiVersionsHandler(advertised: () => readonly ApiVersion[]): Handler<typeof apiVersions> {
  return {
    api: apiVersions,
    minVersion: apiVersions.versions.min,
    maxVersion: apiVersions.versions.max,
    memoryEstimate: decodedBytes,
    handle({ version }, { clientSoftwareName, clientSoftwareVersion }) {
      const named = isSoftwareName(clientSoftwareName) && isSoftwareName(clientSoftwareVersion);
      if (version >= clientSoftwareFrom && !named) return { errorCode: errorCode.INVALID_REQUEST, apiKeys: [] };
      return { errorCode: errorCode.NONE, apiKeys: advertised() };
    },
  };
}

/** The answer to a version that is not served, in the one form that every client can read. */
export function unsupportedVersionReply(correlationId: number, advertised: readonly ApiVersion[]): readonly Buffer[] {
  const apiKeys = advertised.filter(({ apiKey }) => apiKey === apiVersions.key);
  return encodeResponse(apiVersions, 0, correlationId, { errorCode: errorCode.UNSUPPORTED_VERSION, apiKeys });
}

function isSoftwareName(text: string): boolean {
  return text.length <= clientSoftwareCharactersMax && clientSoftwarePattern.test(text);
}
