/**
 * Whole messages: header and body of requests and responses, as they stand on the wire.
 *
 * request  = length:int32 apiKey:int16 apiVersion:int16 correlationId:int32 clientId:nullable-string [tags] body
 * response = length:int32 correlationId:int32 [tags] body
 *
 * The tagged section of a header is there at flexible versions, except in responses to ApiVersions (a client that
 * asks with too new a version must be able to read the answer, KIP-511). `clientId` has an int16 length always.
 */
import { decoderFor, encoderFor, isFlexible } from "./compile-schema.ts";
import type { Api, RequestInputOf, RequestOf, ResponseInputOf, ResponseOf } from "./fields.ts";
import { MalformedMessageError, UnencodableMessageError } from "./message-error.ts";
import { Reader } from "./reader.ts";
import { rangeContains } from "./version-range.ts";
import { Writer } from "./writer.ts";

/** ApiVersions: the one API whose response header never has a tagged section. */
const API_VERSIONS_KEY = 18;

const HEADER_PATHS = ["apiKey", "apiVersion", "correlationId", "clientId", "tags"] as const;
const REQUEST_HEADER_NAMES = { message: "RequestHeader", paths: HEADER_PATHS };

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Chosen by the client, repeated in the response. */
  readonly correlationId: number;
  /** What the client calls itself; null too when the header could not be read that far. */
  readonly clientId: string | null;
  /** The table of the API, or undefined when the key is unknown. */
  readonly api: Api | undefined;
  /** Whether the API's table has this version. When it has not, only key, version and correlation id are read. */
  readonly supported: boolean;
  /** Where the body begins in the frame; meaningless when not `supported`. */
  readonly bodyOffset: number;
}

/**
 * Reads the header of a request frame (without its length). An unknown API or version is no error here: the caller
 * closes the connection, or, for ApiVersions, answers at version 0 with UNSUPPORTED_VERSION.
 *
 * Errors: `MalformedMessageError`.
 */
export function decodeRequestHeader(frame: Buffer, apiByKey: (key: number) => Api | undefined): RequestHeader {
  const reader = new Reader(frame, 0, REQUEST_HEADER_NAMES);
  reader.field = 0;
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const api = apiByKey(apiKey);
  if (api === undefined || !rangeContains(api.versions, apiVersion)) {
    return { apiKey, apiVersion, correlationId, clientId: null, api, supported: false, bodyOffset: reader.offset };
  }
  reader.field = 3;
  const clientId = reader.nullableString();
  reader.field = 4;
  if (isFlexible(api, apiVersion)) reader.skipTags();
  return { apiKey, apiVersion, correlationId, clientId, api, supported: true, bodyOffset: reader.offset };
}

/**
 * Decodes the body of a request. `bytes` and `records` in the result are slices of the frame and live as long as it.
 *
 * Errors: `MalformedMessageError`.
 */
export function decodeRequest<A extends Api>(
  api: A,
  version: number,
  body: { readonly frame: Buffer; readonly offset: number },
): RequestOf<A> {
  return decodeBody(api, { kind: "request", version }, body.frame, body.offset) as RequestOf<A>;
}

/**
 * Decodes a response frame (without its length).
 *
 * Errors: `MalformedMessageError`.
 */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  frame: Buffer,
): { readonly correlationId: number; readonly body: ResponseOf<A> } {
  const reader = new Reader(frame, 0, { message: "ResponseHeader", paths: HEADER_PATHS });
  reader.field = 2;
  const correlationId = reader.int32();
  reader.field = 4;
  if (responseHeaderHasTags(api, version)) reader.skipTags();
  const body = decodeBody(api, { kind: "response", version }, frame, reader.offset) as ResponseOf<A>;
  return { correlationId, body };
}

/**
 * Encodes a response, ready to be written as it is: the first chunk begins with the int32 length of all the rest.
 * Large record data appears as chunks of its own, which are the very buffers of the message: they must not change
 * until the chunks are written.
 *
 * Errors: `UnencodableMessageError`.
 */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInputOf<A>,
): Buffer[] {
  const encoder = encoderFor(api, "response", version);
  if (encoder === undefined) throw unsupportedEncoding(api, version);
  const writer = new Writer(encoder.names);
  writer.int32(0);
  writer.int32(correlationId);
  if (responseHeaderHasTags(api, version)) writer.uvarint(0);
  encoder.encode(writer, body);
  return writer.framedChunks();
}

/**
 * Encodes a request as a client does; see `encodeResponse` for the chunks.
 *
 * Errors: `UnencodableMessageError`.
 */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  body: RequestInputOf<A>,
): Buffer[] {
  const encoder = encoderFor(api, "request", version);
  if (encoder === undefined) throw unsupportedEncoding(api, version);
  const writer = new Writer(encoder.names);
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(header.correlationId);
  writer.nullableString(header.clientId);
  if (isFlexible(api, version)) writer.uvarint(0);
  encoder.encode(writer, body);
  return writer.framedChunks();
}

function responseHeaderHasTags(api: Api, version: number): boolean {
  return api.key !== API_VERSIONS_KEY && isFlexible(api, version);
}

function decodeBody(
  api: Api,
  { kind, version }: { kind: "request" | "response"; version: number },
  frame: Buffer,
  offset: number,
): unknown {
  const decoder = decoderFor(api, kind, version);
  if (decoder === undefined) {
    throw new MalformedMessageError("VERSION_UNSUPPORTED", `no version ${version}`, `${api.name} ${kind}`);
  }
  const reader = new Reader(frame, offset, decoder.names);
  const body = decoder.decode(reader);
  // As Kafka's broker does, bytes after the last field of a request are passed over: librdkafka 2.16 leaves three behind
  // the topics of a Metadata request for all of them.
  if (kind === "response") reader.finish();
  return body;
}

function unsupportedEncoding(api: Api, version: number): UnencodableMessageError {
  return new UnencodableMessageError("VERSION_UNSUPPORTED", `no version ${version}`, api.name);
}
