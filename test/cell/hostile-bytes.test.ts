import { randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkajs } from "./kafkajs-client.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";

let cloud: LocalCloudProcess;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start(["--restart-after", "0"]);
});
afterAll(() => cloud.dispose());

/** Ends in a close by the broker, or is cut after this long: silence is no crash either. */
const attackMsMax = 1_500;

interface Port {
  readonly name: string;
  readonly open: () => Socket;
}

/** Every port of broker 1; the TLS one both as raw bytes and inside a session. */
function ports(): readonly Port[] {
  const [broker] = cloud.ready.brokers;
  const config = JSON.parse(readFileSync(path.join(cloud.dataDirectory, "brokers", "1", "config.json"), "utf8")) as {
    readonly peer: { readonly port: number };
  };
  const ca = readFileSync(path.join(cloud.dataDirectory, "tls", "ca.pem"));
  const raw = (port = 0) => connect({ host: "127.0.0.1", port });
  return [
    { name: "plaintext", open: () => raw(broker?.port) },
    { name: "SASL_SSL, below TLS", open: () => raw(broker?.tlsPort) },
    { name: "SASL_SSL, inside TLS", open: () => connectTls({ host: "127.0.0.1", port: broker?.tlsPort ?? 0, ca }) },
    { name: "admin", open: () => raw(broker?.adminPort) },
    { name: "peer", open: () => raw(config.peer.port) },
  ];
}

function frame(payload: Buffer, length = payload.length): Buffer {
  const header = Buffer.alloc(4);
  header.writeInt32BE(length, 0);
  return Buffer.concat([header, payload]);
}

function requestHeader(apiKey: number, version: number): Buffer {
  const header = Buffer.alloc(10);
  header.writeInt16BE(apiKey, 0);
  header.writeInt16BE(version, 2);
  header.writeInt32BE(7, 4);
  header.writeInt16BE(-1, 8);
  return header;
}

/** Arrays that claim two thousand million elements. */
const hugeArray = Buffer.from([0x7f, 0xff, 0xff, 0xff]);

const attacks: readonly { readonly name: string; readonly bytes: () => Buffer }[] = [
  { name: "noise", bytes: () => randomBytes(randomInt(1, 5000)) },
  { name: "a negative length", bytes: () => frame(Buffer.alloc(8), -5) },
  { name: "the largest length", bytes: () => frame(randomBytes(50), 0x7fff_ffff) },
  { name: "a length that is never filled", bytes: () => frame(randomBytes(50), 5000) },
  { name: "an empty frame", bytes: () => frame(Buffer.alloc(0)) },
  { name: "a truncated header", bytes: () => frame(requestHeader(3, 12).subarray(0, 5)) },
  { name: "an unknown key", bytes: () => frame(Buffer.concat([requestHeader(999, 0), randomBytes(20)])) },
  { name: "an unknown version", bytes: () => frame(Buffer.concat([requestHeader(3, 99), randomBytes(20)])) },
  { name: "an unknown ApiVersions version", bytes: () => frame(requestHeader(18, 99)) },
  ...[0, 1, 2, 3, 10, 17, 18, 19, 20, 22, 32, 33, 36, 37, 44, 60].flatMap((apiKey) => [
    {
      name: `huge arrays to key ${apiKey}`,
      bytes: () => frame(Buffer.concat([requestHeader(apiKey, 1), hugeArray, hugeArray, randomBytes(30)])),
    },
    {
      name: `noise to key ${apiKey}`,
      bytes: () => frame(Buffer.concat([requestHeader(apiKey, randomInt(0, 9)), randomBytes(randomInt(0, 300))])),
    },
  ]),
  { name: "half a megabyte of noise", bytes: () => randomBytes(500_000) },
];

function attack(port: Port, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = port.open();
    const timer = setTimeout(() => socket.destroy(), attackMsMax);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.write(bytes);
  });
}

test("any bytes on any port end in an error or a close; other clients do not notice", async () => {
  const client = kafkajs.connect(cloud.plaintext, "bystander");
  await client.createTopic("bystander", 3);
  const producer = await client.producer({ idempotent: true });
  let attacking = true;
  let sent = 0;
  let slowestMs = 0;
  const bystander = (async () => {
    while (attacking) {
      const startMs = performance.now();
      await producer.send("bystander", [`value-${sent}`], sent % 3);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      sent++;
    }
  })();
  for (const { bytes } of attacks) await Promise.all(ports().map((port) => attack(port, bytes())));
  attacking = false;
  await bystander;
  await producer.close();
  const counts = await Promise.all(
    [0, 1, 2].map(async (partition) => (await client.readAll("bystander", partition)).length),
  );
  await client.close();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sent);
  // Above what a busy machine that stands still adds, below what the client itself waits for an answer.
  expect(slowestMs).toBeLessThan(28_000);
  for (const { id, pid } of cloud.ready.brokers) expect(cloud.processOf(id)).toBe(pid);
  expect(await cloud.metrics(1)).toMatch(/balafon_protocol_errors_total\{listener="PLAINTEXT"\} [1-9]/);
});

test("hundreds of silent connections keep nobody out", async () => {
  const [plaintext, belowTls, , , peer] = ports();
  const silent = Array.from({ length: 300 }, (_, index) => [plaintext, belowTls, peer][index % 3]?.open());
  for (const socket of silent) socket?.on("error", () => undefined);
  const client = kafkajs.connect(cloud.secure(cloud.devCredentials), "guest");
  expect(await client.topics()).toContain("bystander");
  await client.close();
  for (const socket of silent) socket?.destroy();
});
