import { decodeRequestHeader } from "../../shared/kafka/codec/message-codec.ts";
import { unsupportedVersionReply } from "../handlers/api-versions.ts";
import type { OpenedRequest } from "../handlers/context/handler.ts";
import type { HandlerRegistry, RegistryEntry } from "./registry.ts";

/** What the header of a request says should be done with it. */
export type Opened =
  | { readonly kind: "request"; readonly entry: RegistryEntry; readonly request: OpenedRequest }
  /** Answered already: ApiVersions in a version from the future (KIP-511). */
  | { readonly kind: "answered"; readonly entry: RegistryEntry; readonly reply: readonly Buffer[] }
  /** An API or version that is not served. Kafka closes the connection: no response could be read. */
  | { readonly kind: "unsupported"; readonly apiKey: number; readonly version: number };

/** ApiVersions. */
const apiVersionsKey = 18;

/**
 * Reads a request's header and finds its handler.
 *
 * Errors: `MalformedMessageError` when the header cannot be read.
 */
export function openRequest(registry: HandlerRegistry, frame: Buffer): Opened {
  const header = decodeRequestHeader(frame, registry.apiByKey);
  const { apiKey, apiVersion: version, correlationId, clientId, bodyOffset } = header;
  const entry = registry.entry(apiKey);
  if (entry !== undefined && header.supported && version >= entry.minVersion && version <= entry.maxVersion) {
    return { kind: "request", entry, request: { frame, bodyOffset, correlationId, version, clientId } };
  }
  if (entry !== undefined && apiKey === apiVersionsKey) {
    return { kind: "answered", entry, reply: unsupportedVersionReply(correlationId, registry.advertised()) };
  }
  return { kind: "unsupported", apiKey, version };
}
