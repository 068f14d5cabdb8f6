import type { Api, RequestOf, ResponseInputOf } from "../../../shared/kafka/codec/fields.ts";
import { decodeRequest, encodeResponse } from "../../../shared/kafka/codec/message-codec.ts";
import type { BrokerServices } from "./broker-services.ts";
import type { ClientSession } from "./client-session.ts";

/** What a handler gets beside the decoded request. */
export interface RequestContext {
  readonly services: BrokerServices;
  readonly session: ClientSession;
  /** Version of the API in which the client asked, and is answered. */
  readonly version: number;
  /** What the client calls itself; for logs and fairness, never for access. */
  readonly clientId: string | null;
}

/** What a handler gives instead of a response. */
export class Unanswered {
  /** The connection must close: the only way to tell the client of a failure (acks=0). */
  readonly closes: boolean;

  constructor(closes: boolean) {
    this.closes = closes;
  }
}

/** The protocol has no response for this request (acks=0). */
export const unanswered = new Unanswered(false);
export const unansweredAndClosed = new Unanswered(true);

/**
 * What a handler gives when it may not begin yet. Nothing that came after this request on its connection begins either,
 * so that the order of what a client sends is kept.
 */
export class Postponed<T> {
  /** Resolves when it is time to ask again; within a bounded time, and never rejects. */
  readonly ready: Promise<unknown>;
  readonly again: () => T;

  constructor(ready: Promise<unknown>, again: () => T) {
    this.ready = ready;
    this.again = again;
  }
}

export type Answer<R> = R | Unanswered | Promise<R | Unanswered> | Postponed<Answer<R>>;

/**
 * One API: a plain value, one file each in `broker/handlers`.
 *
 * Errors that a client can cause are answered in the response; a throw or a rejection is a bug of ours and costs the
 * client its connection, nothing else.
 */
export interface Handler<A extends Api> {
  readonly api: A;
  /** Versions served: all, or fewer than, the schema's. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /**
   * Bytes of heap that serving takes beside the frame itself, at worst: the decoded request and what is built for the
   * response, records excluded. Reserved before the request is decoded.
   */
  memoryEstimate(frameBytes: number): number;
  /**
   * The next request of the same API may start while this one waits: what must be in order was done when `handle`
   * returned, unless it returned `Postponed` (produce and commit append). Others wait until every request before them was
   * answered, as in Kafka.
   */
  readonly pipelined?: boolean;
  handle(context: RequestContext, request: RequestOf<A>): Answer<ResponseInputOf<A>>;
}

/** A request whose header was read. */
export interface OpenedRequest {
  readonly frame: Buffer;
  readonly bodyOffset: number;
  readonly correlationId: number;
  readonly version: number;
  readonly clientId: string | null;
}

/** What is sent for a request: chunks of a whole frame, or nothing. */
export type Reply = readonly Buffer[] | Unanswered;

/** What serving a request comes to: its reply now or later, or that it has not begun. */
export type Served = Reply | Promise<Reply> | Postponed<Served>;

/** A handler with its message types folded away, as the registry holds it. */
export interface RegisteredHandler {
  readonly api: Api;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly pipelined: boolean;
  memoryEstimate(frameBytes: number): number;
  /** Decodes, handles, encodes. Errors: `MalformedMessageError` for a body that cannot be read. */
  serve(services: BrokerServices, session: ClientSession, request: OpenedRequest): Served;
}

export function register<A extends Api>(handler: Handler<A>): RegisteredHandler {
  const { api, minVersion, maxVersion } = handler;
  const encode = (answer: ResponseInputOf<A> | Unanswered, version: number, correlationId: number): Reply =>
    answer instanceof Unanswered ? answer : encodeResponse(api, version, correlationId, answer);
  const serveAnswer = (answer: Answer<ResponseInputOf<A>>, version: number, correlationId: number): Served => {
    if (answer instanceof Promise) return encodeLater(answer, version, correlationId);
    if (!(answer instanceof Postponed)) return encode(answer, version, correlationId);
    return new Postponed(answer.ready, () => serveAnswer(answer.again(), version, correlationId));
  };
  // A function of its own, so that what waits for the answer holds two numbers and not the request with its frame.
  const encodeLater = (answer: Promise<ResponseInputOf<A> | Unanswered>, version: number, correlationId: number) =>
    answer.then((settled) => encode(settled, version, correlationId));
  return {
    api,
    minVersion,
    maxVersion,
    pipelined: handler.pipelined ?? false,
    memoryEstimate: (frameBytes) => handler.memoryEstimate(frameBytes),
    serve(services, session, request) {
      const { version, clientId, correlationId, frame, bodyOffset } = request;
      const body = decodeRequest(api, version, { frame, offset: bodyOffset });
      return serveAnswer(handler.handle({ services, session, version, clientId }, body), version, correlationId);
    },
  };
}
