import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { expect, test } from "vitest";
import { httpApi } from "../../../../functions/middleware/http-api.ts";
import type { ApiRequest } from "../../../../functions/provisioning/api-request.ts";
import { ControlUnavailableError } from "../../../../shared/control/control-store.ts";
import type { Logger } from "../../../../shared/telemetry/logger.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";

function setUp(
  answer: (request: ApiRequest) => Promise<{ status: number; headers: Record<string, string>; body: unknown }>,
) {
  const lines: string[] = [];
  const line = (event: string, fields?: object) => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: line, info: line, warn: line, error: line, with: () => logger };
  return { lines, handler: httpApi({ answer, logger, clock: new VirtualTime() }) };
}

const event = (changes: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 => ({
  version: "2.0",
  routeKey: "$default",
  rawPath: "/iam/v2/api-keys",
  rawQueryString: "page_size=5",
  headers: { authorization: "Basic c2VjcmV0" },
  requestContext: {
    accountId: "1",
    apiId: "a",
    domainName: "api.example.com",
    domainPrefix: "api",
    http: { method: "POST", path: "/iam/v2/api-keys", protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "t" },
    requestId: "request-1",
    routeKey: "$default",
    stage: "$default",
    time: "",
    timeEpoch: 0,
  },
  isBase64Encoded: false,
  ...changes,
});

test("an event becomes a request, and an answer a response", async () => {
  let seen: ApiRequest | undefined;
  const { handler, lines } = setUp(async (request) => {
    seen = request;
    return { status: 202, headers: { "x-more": "1" }, body: { id: "a" } };
  });
  const body = Buffer.from('{"spec":{}}').toString("base64");
  const response = await handler(event({ body, isBase64Encoded: true }), {});
  expect(seen).toMatchObject({
    method: "POST",
    path: "/iam/v2/api-keys",
    body: '{"spec":{}}',
    sourceIp: "192.0.2.1",
    requestId: "request-1",
    baseUrl: "https://api.example.com",
  });
  expect(seen?.query.get("page_size")).toBe("5");
  expect(response).toEqual({
    statusCode: 202,
    headers: {
      "content-type": "application/json",
      "x-more": "1",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": "request-1",
    },
    body: '{"id":"a"}',
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"status":202');
  expect(lines.join()).not.toContain("c2VjcmV0");
});

test("what is broken is answered in the form of every error, and tells nothing of the inside", async () => {
  const away = setUp(() => Promise.reject(new ControlUnavailableError("table x does not answer")));
  const unavailable = await away.handler(event(), {});
  expect([unavailable.statusCode, unavailable.headers?.["retry-after"]]).toEqual([503, "1"]);
  const bug = setUp(() => Promise.reject(new Error("secret detail")));
  const internal = await bug.handler(event(), {});
  expect(internal.statusCode).toBe(500);
  expect(JSON.parse(internal.body ?? "")).toMatchObject({ errors: [{ id: "request-1", status: "500" }] });
  expect(internal.body).not.toContain("secret detail");
  expect(internal.headers).toMatchObject({ "x-request-id": "request-1", "content-type": "application/json" });
  expect(bug.lines.join()).toContain("request-failed");
});
