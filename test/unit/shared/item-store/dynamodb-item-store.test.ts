import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { DynamodbItemStore, dynamodbClient } from "../../../../shared/item-store/dynamodb-item-store.ts";
import { systemTimers, type Timers } from "../../../../shared/ports/timers.ts";
import { ManualTime } from "../../broker/handlers/manual-time.ts";

const key = { partition: "cell-1", sort: 1 };
const item = { ...key, attributes: { a: 1 } };
const absent = { kind: "absent" } as const;
/** No test waits for it: a process that stands still for a moment would take an answer that is there for one that is late. */
const timeoutMs = 60_000;

const closers: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).reverse()) {
    close();
  }
});

type Serve = (response: ServerResponse, time: ManualTime) => void;

/** A DynamoDB that answers as `serve` does, which may let the caller's time pass; counts its calls. */
async function openFake(serve: Serve) {
  const time = new ManualTime();
  let calls = 0;
  const server: Server = createServer((request: IncomingMessage, response) => {
    request.resume();
    request.on("end", () => {
      calls++;
      serve(response, time);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const store = openStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, time);
  return { store, calls: () => calls };
}

function openStore(endpoint: string, timers: Timers = systemTimers): DynamodbItemStore {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = dynamodbClient({ endpoint, region: "us-east-1", credentials });
  closers.push(() => client.destroy());
  return new DynamodbItemStore({ table: "items", kind: "number", client, timers, timeoutMs });
}

function fails(status: number, type: string) {
  return (response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "no" }));
  };
}

describe("what DynamoDB says, and what it means: one attempt, never a retry inside the SDK", () => {
  const cases: readonly (readonly [string, Serve, string, string])[] = [
    ["condition failed", fails(400, "ConditionalCheckFailedException"), "conflict", "invalid"],
    ["throughput exceeded", fails(400, "ProvisionedThroughputExceededException"), "throttled", "throttled"],
    ["throttling", fails(400, "ThrottlingException"), "throttled", "throttled"],
    ["validation", fails(400, "ValidationException"), "invalid", "invalid"],
    ["no such table", fails(400, "ResourceNotFoundException"), "unavailable", "unavailable"],
    ["access denied", fails(400, "AccessDeniedException"), "unavailable", "unavailable"],
    ["internal error", fails(500, "InternalServerError"), "unknown", "unavailable"],
    ["a proxy's error page", (response) => response.writeHead(503).end("<html>"), "unknown", "unavailable"],
    ["no answer", (_, time) => void time.advance(timeoutMs), "unknown", "unavailable"],
    ["a broken connection", (response) => response.destroy(), "unknown", "unavailable"],
  ];
  for (const [name, serve, write, read] of cases) {
    test(`${name}: ${write} for a write, ${read} for a read`, async () => {
      const { store, calls } = await openFake(serve);
      expect((await store.put(item, absent)).kind).toBe(write);
      expect(calls()).toBe(1);
      expect((await store.delete(key, { kind: "none" })).kind).toBe(write);
      expect((await store.get(key)).kind).toBe(read);
      expect((await store.query({ partition: "cell-1", from: 1, limit: 1 })).kind).toBe(read);
      expect(calls()).toBe(4);
    });
  }

  test("nobody listens: nothing was done", async () => {
    const store = openStore("http://127.0.0.1:1");
    expect((await store.put(item, absent)).kind).toBe("unavailable");
    expect((await store.get(key)).kind).toBe("unavailable");
  });
});
