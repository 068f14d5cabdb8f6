import { once } from "node:events";
import { connect, type Socket } from "node:net";
import tls from "node:tls";
import { afterEach, expect, test } from "vitest";
import type { ConnectionLimits } from "../../../../broker/connection/limits.ts";
import { lookAtBroker } from "../../../../router/broker-probe.ts";
import { metadata } from "../../../../shared/kafka/schema/metadata.ts";
import { formatLocalHeader, formatProxyHeader } from "../../../../shared/proxy-protocol/proxy-header.ts";
import { closed } from "../../router/running-router.ts";
import { RunningServer, secureLkc, until } from "./running-server.ts";
import { WireClient } from "./wire-client.ts";

let running: RunningServer | undefined;
afterEach(async () => {
  await running?.stopClean();
  running = undefined;
});

async function start(proxyProtocolFrom: string, limits: Partial<ConnectionLimits> = {}): Promise<RunningServer> {
  running = await RunningServer.start(limits, {}, { proxies: [proxyProtocolFrom] });
  return running;
}

const client = { source: { address: "203.0.113.9", port: 40_000 }, destination: { address: "10.0.0.1", port: 9_094 } };

async function open(server: RunningServer, header?: Buffer): Promise<Socket> {
  const socket = connect({ port: server.server.port("secure"), host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  if (header !== undefined) socket.write(header);
  return socket;
}

async function secured(server: RunningServer, header: Buffer): Promise<WireClient> {
  const socket = tls.connect({
    socket: await open(server, header),
    ca: server.ca,
    servername: `${secureLkc}.cell.example`,
  });
  await once(socket, "secureConnect");
  return WireClient.over(socket);
}

test("behind a router brokers are told by name", async () => {
  const server = await start("127.0.0.1");
  const wire = await secured(server, formatProxyHeader(client));
  const { keyId, secret } = server.key;
  expect(await wire.authenticate(keyId, secret)).toMatchObject({ errorCode: 0 });
  const { brokers } = await wire.call(metadata, 12, { topics: null });
  expect(brokers.map(({ host, port }) => `${host}:${port}`)).toContain("b1-lkc-secure.zone-1.cell.example:9392");
  wire.close();
});

test("limits by address count the clients behind a router, not the router", async () => {
  const server = await start("127.0.0.1", { connectionsPerAddressMax: 1 });
  const first = await secured(server, formatProxyHeader(client));
  const second = await open(server, formatProxyHeader(client));
  await closed(second);
  const other = { ...client, source: { address: "203.0.113.10", port: 1 } };
  const third = await secured(server, formatProxyHeader(other));
  first.close();
  third.close();
});

test("a connection without a header, or from anywhere else, is closed", async () => {
  const server = await start("127.0.0.1");
  const bare = await open(server, Buffer.from("160301", "hex"));
  await closed(bare);
  await server.stopClean();
  running = undefined;
  const strict = await start("10.0.0.0/8");
  const socket = await open(strict, formatProxyHeader(client));
  await closed(socket);
});

test("a router's look is answered, and counts as no connection", async () => {
  const server = await start("127.0.0.1");
  const port = server.server.port("secure");
  // A process that stands still for a moment answers too late for one look.
  await expect.poll(() => lookAtBroker({ host: "127.0.0.1", port }), { timeout: 20_000 }).toBe("answered");
  expect(server.server.connections).toBe(0);
  // One that goes on is served like any other.
  const socket = await open(server, formatLocalHeader());
  const client = tls.connect({ socket, ca: server.ca, servername: "localhost" });
  await once(client, "secureConnect");
  await until(() => server.server.connections === 1, "counted");
  client.destroy();
});

test("where nobody listens, or nobody answers, a look says so", async () => {
  expect(await lookAtBroker({ host: "127.0.0.1", port: 1 })).toBe("refused");
});
