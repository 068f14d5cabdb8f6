/**
 * What API Gateway does in the cloud, on a port of this machine: makes an event (payload 2.0) of each request, hands it to
 * the function's own handler, and sends what that answers.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { HttpApiHandler } from "../../functions/middleware/http-api.ts";
import { apiConnectionsMax, apiRequestBytesMax, apiRequestMsMax } from "../limits.ts";

export interface LocalApiGateway {
  readonly port: number;
  /** Stops listening and closes every connection. */
  close(): Promise<void>;
}

const host = "127.0.0.1";

/** Rejects with the operating system's error when the port cannot be had; 0 takes any. */
export async function startApiGateway(port: number, handler: HttpApiHandler): Promise<LocalApiGateway> {
  const server = createServer({ requestTimeout: apiRequestMsMax });
  server.maxConnections = apiConnectionsMax;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    serve(request, handler).then(
      (result) => send(response, result),
      // The handler answers for its own errors: this is a connection that broke.
      () => response.destroy(),
    );
  });
  await listening(server, port);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function serve(request: IncomingMessage, handler: HttpApiHandler): Promise<APIGatewayProxyStructuredResultV2> {
  const body = await wholeBody(request);
  if (body === undefined) return { statusCode: 413, body: JSON.stringify({ message: "Request Entity Too Large" }) };
  return handler(eventOf(request, body), {});
}

/** Undefined when it is too long; the rest of it is let go by. */
async function wholeBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= apiRequestBytesMax) chunks.push(chunk);
  }
  return bytes > apiRequestBytesMax ? undefined : Buffer.concat(chunks);
}

function eventOf(request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const target = request.url ?? "/";
  const question = target.indexOf("?");
  const rawPath = question < 0 ? target : target.slice(0, question);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]),
  );
  const now = new Date();
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: question < 0 ? "" : target.slice(question + 1),
    headers,
    requestContext: {
      accountId: "local",
      apiId: "local",
      domainName: request.headers.host ?? host,
      domainPrefix: "local",
      http: {
        method: request.method ?? "GET",
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? "unknown",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString("base64") }),
    isBase64Encoded: body.length > 0,
  };
}

function send(response: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const body = Buffer.from(result.body ?? "");
  for (const [name, value] of Object.entries(result.headers ?? {})) response.setHeader(name, String(value));
  response.writeHead(result.statusCode ?? 200, body.length === 0 ? {} : { "content-length": body.length });
  response.end(body);
}
