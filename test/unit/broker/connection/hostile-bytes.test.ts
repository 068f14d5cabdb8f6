/**
 * Any bytes on any port end in a protocol error or a closed connection: never in a crash, a leak, or a stall of another
 * client. Bytes are random, or real requests that were damaged; a well-behaved client is served all the while.
 */
import { afterEach, describe, expect, test } from "vitest";
import type { Api } from "../../../../shared/kafka/codec/fields.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { metadata } from "../../../../shared/kafka/schema/metadata.ts";
import { allApis } from "../../../../shared/kafka/schema/registry.ts";
import { SeededRandom } from "../../../simulation/world/seeded-random.ts";
import { arbitraryRequest } from "./arbitrary-request.ts";
import { plainLkc, RunningServer, until } from "./running-server.ts";
import { WireClient } from "./wire-client.ts";

let running: RunningServer | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const random = new SeededRandom("hostile-bytes");
const below = (end: number) => Math.floor(random.fraction() * end);

async function start(): Promise<RunningServer> {
  running = await RunningServer.start(
    { authenticateMs: 20_000, requestBytesMax: 2_000_000 },
    { memoryBytesMax: 8_000_000, modestMemoryBytes: 0 },
  );
  const topic = running.broker.topic(plainLkc, "t", 2);
  topic.hosted[0]!.add("a", "b");
  return running;
}

/** A client that behaves, and finds out whether it is still served. */
async function checkServed(server: RunningServer, client: WireClient): Promise<void> {
  const answer = await client.call(metadata, 9, { topics: [] });
  expect(answer.clusterId).toBe(plainLkc);
  expect(server.errors).toEqual([]);
}

/** Sends the bytes, in pieces, ends, and waits until the connection is gone. */
async function throwAt(client: WireClient, bytes: Buffer): Promise<void> {
  let sent = 0;
  while (sent < bytes.length) {
    const end = Math.min(bytes.length, sent + 1 + below(bytes.length));
    client.socket.write(bytes.subarray(sent, end));
    sent = end;
    if (below(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  client.socket.end();
  await client.closed;
}

function damaged(request: Buffer): Buffer {
  const bytes = Buffer.from(request);
  const damages = 1 + below(6);
  for (let n = 0; n < damages; n += 1) {
    const at = below(bytes.length);
    const extreme = [0x00, 0x01, 0x7f, 0x80, 0xff][below(5)] as number;
    bytes[at] = below(2) === 0 ? extreme : below(256);
  }
  return below(4) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
}

async function settleEmpty(server: RunningServer, except: number): Promise<void> {
  await until(() => server.server.connections === except, "only well-behaved connections are left");
}

describe("hostile bytes", () => {
  test("random bytes on the plaintext port", async () => {
    const server = await start();
    const client = await server.connect();
    for (let n = 0; n < 150; n += 1) {
      await throwAt(await server.connect(), random.bytes(1 + below(300)));
    }
    await checkServed(server, client);
    await settleEmpty(server, 1);
    client.close();
    await until(() => server.server.memoryBytes === 0, "no memory is held");
  });

  test("random bytes on the TLS port, below and above the encryption", async () => {
    const server = await start();
    const client = await server.connect();
    for (let n = 0; n < 25; n += 1) {
      await throwAt(await WireClient.connect(server.server.port("secure")), random.bytes(1 + below(300)));
      await throwAt(await server.connectTls(), random.bytes(1 + below(300)));
    }
    await checkServed(server, client);
    await settleEmpty(server, 1);
    client.close();
    await until(() => server.server.memoryBytes === 0, "no memory is held");
  });

  test("every request in every version, whole and damaged", async () => {
    const server = await start();
    const client = await server.connect();
    const records = encodeBatch({ records: [{ value: Buffer.from("v") }] });
    const ingredients = { random, names: ["t", "absent"], uuids: [], numbers: [], records };
    for (const api of allApis as readonly Api[]) {
      for (let version = api.versions.min; version <= api.versions.max; version += 1) {
        const request = arbitraryRequest(api, version, ingredients);
        await throwAt(await server.connect(), request);
        for (let n = 0; n < 2; n += 1) await throwAt(await server.connect(), damaged(request));
      }
      await checkServed(server, client);
    }
    await settleEmpty(server, 1);
    client.close();
    await until(() => server.server.memoryBytes === 0, "no memory is held");
  });

  test("lengths and counts that promise more than comes", async () => {
    const server = await start();
    const client = await server.connect();
    const promises = ["7fffffff", "ffffffff", "80000000", "001e8481", "001e8480", "00000000", "00000001"];
    const stalled: WireClient[] = [];
    for (const length of promises) {
      const hostile = await server.connect();
      hostile.socket.write(
        Buffer.concat([Buffer.from(length, "hex"), Buffer.from("00030009000000010000027fffffff", "hex")]),
      );
      stalled.push(hostile);
    }
    for (let n = 0; n < 20; n += 1) await checkServed(server, client);
    for (const hostile of stalled) hostile.close();
    await settleEmpty(server, 1);
    client.close();
    await until(() => server.server.memoryBytes === 0, "no memory is held");
  });

  test("a flood of tiny requests is answered in order and in bounded memory", async () => {
    const server = await start();
    const client = await server.connect();
    const flooder = await server.connect();
    const answers = [...Array(5_000).keys()].map(() => flooder.call(metadata, 0, { topics: [{ name: "t" }] }));
    await checkServed(server, client);
    expect(server.server.memoryBytes).toBeLessThan(8_000_000);
    await Promise.all(answers);
    flooder.close();
    client.close();
  });
});
