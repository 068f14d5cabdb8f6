/**
 * The stack of every function behind the HTTP API: an event of API Gateway (payload 2.0) becomes a request, an answer or
 * an error becomes a response, and one line of the log says what happened.
 */
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { ControlUnavailableError } from "../../shared/control/control-store.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { ApiAnswer, ApiRequest } from "../provisioning/api-request.ts";
import { failureBody, type Refusal, refuse, statusOf } from "../provisioning/problem.ts";

export interface HttpApiOptions {
  readonly answer: (request: ApiRequest) => Promise<ApiAnswer>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What addresses in answers begin with, when the event's domain is not it. */
  readonly publicUrl?: string | undefined;
}

export type HttpApiHandler = (
  event: APIGatewayProxyEventV2,
  context: object,
) => Promise<APIGatewayProxyStructuredResultV2>;

type Request = middy.Request<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;
type Middleware = middy.MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

export function httpApi(options: HttpApiOptions): HttpApiHandler {
  const { answer, logger, clock, publicUrl } = options;
  const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
    async (event: APIGatewayProxyEventV2) => responseOf(await answer(requestOf(event, publicUrl))),
  )
    // What comes first sees the response last.
    .use(accessLog(logger, clock))
    .use(fixedHeaders())
    .use(errorsAnswered(logger));
  return handler as unknown as HttpApiHandler;
}

function requestOf(event: APIGatewayProxyEventV2, publicUrl: string | undefined): ApiRequest {
  const { http, domainName, requestId } = event.requestContext;
  const body =
    event.body !== undefined && event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  return {
    method: http.method,
    path: event.rawPath,
    query: new URLSearchParams(event.rawQueryString),
    headers: event.headers,
    body,
    sourceIp: http.sourceIp,
    requestId,
    baseUrl: publicUrl ?? `https://${domainName}`,
  };
}

function responseOf({ status, headers, body }: ApiAnswer): APIGatewayProxyStructuredResultV2 {
  if (body === undefined) return { statusCode: status, headers: { ...headers } };
  return {
    statusCode: status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** What is thrown is broken: the table that is away (the client may try again), or a bug, which the log has. */
function errorsAnswered(logger: Logger): Middleware {
  return {
    onError(request: Request) {
      const { requestId } = request.event.requestContext;
      const away = request.error instanceof ControlUnavailableError;
      logger[away ? "warn" : "error"]("request-failed", { requestId, error: request.error });
      const refusal: Refusal = away
        ? { ...refuse("unavailable", "The service cannot do this now: try again."), headers: { "retry-after": "1" } }
        : refuse("internal", "Something is broken; the id of this error finds it in the log.");
      request.response = responseOf({
        status: statusOf(refusal),
        headers: { ...refusal.headers },
        body: failureBody(refusal, requestId),
      });
    },
  };
}

/** Answers hold what nobody else should see, and nothing that a browser should run. */
function fixedHeaders(): Middleware {
  const add = (request: Request) => {
    if (request.response === null || request.response === undefined) return;
    request.response.headers = {
      ...request.response.headers,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": request.event.requestContext.requestId,
    };
  };
  return { after: add, onError: add };
}

/** Never bodies, never headers: they hold secrets. */
function accessLog(logger: Logger, clock: Clock): Middleware {
  const startedMs = new WeakMap<object, number>();
  const log = (request: Request) => {
    const { requestContext, rawPath } = request.event;
    const tookMs = Math.round(clock.monotonicMs() - (startedMs.get(request.event) ?? clock.monotonicMs()));
    logger.info("request", {
      method: requestContext.http.method,
      path: rawPath,
      status: request.response?.statusCode,
      tookMs,
      requestId: requestContext.requestId,
      sourceIp: requestContext.http.sourceIp,
    });
  };
  return {
    before: (request: Request) => {
      startedMs.set(request.event, clock.monotonicMs());
    },
    after: log,
    onError: log,
  };
}
