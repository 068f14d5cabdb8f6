import { connect } from "node:net";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { afterEach, expect, test } from "vitest";
import { type LocalApiGateway, startApiGateway } from "../../../../local/api/api-gateway.ts";
import { apiRequestBytesMax } from "../../../../local/limits.ts";

let gateway: LocalApiGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

test("a request becomes an event of API Gateway, and its result a response", async () => {
  const events: APIGatewayProxyEventV2[] = [];
  gateway = await startApiGateway(0, async (event) => {
    events.push(event);
    return { statusCode: 201, headers: { "x-one": "1" }, body: '{"ok":true}' };
  });
  const response = await fetch(`http://127.0.0.1:${gateway.port}/a/b%20c?x=1&y=%C3%A4`, {
    method: "POST",
    headers: { "X-Two": "2" },
    body: "grüße",
  });
  expect([response.status, response.headers.get("x-one"), await response.json()]).toEqual([201, "1", { ok: true }]);
  expect(events[0]).toMatchObject({
    version: "2.0",
    rawPath: "/a/b%20c",
    rawQueryString: "x=1&y=%C3%A4",
    headers: { "x-two": "2" },
    requestContext: { http: { method: "POST", sourceIp: "127.0.0.1" }, stage: "$default" },
    isBase64Encoded: true,
  });
  expect(Buffer.from(events[0]?.body ?? "", "base64").toString()).toBe("grüße");
});

test("a body that is too long never reaches the function, and bytes that are no HTTP are refused", async () => {
  let calls = 0;
  gateway = await startApiGateway(0, async () => {
    calls++;
    return { statusCode: 204 };
  });
  const url = `http://127.0.0.1:${gateway.port}/`;
  const response = await fetch(url, { method: "POST", body: "x".repeat(apiRequestBytesMax + 1) });
  expect([response.status, calls]).toEqual([413, 0]);
  const socket = connect(gateway.port, "127.0.0.1");
  socket.write("\0\0nonsense\r\n\r\n");
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("close", () => resolve(text));
  });
  expect(answer).toContain("400");
  expect((await fetch(url)).status).toBe(204);
});
