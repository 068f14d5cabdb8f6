import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Balancer } from "../../../../local/aws/balancer.ts";
import type { BalancerView } from "../../../../local/aws/balancer-view.ts";
import { systemTimers } from "../../../../shared/ports/timers.ts";
import { readProxyHeader } from "../../../../shared/proxy-protocol/proxy-header.ts";

const host = "127.0.0.1";
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A target that answers with what it got, once the client has said all. */
async function target(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => socket.end(Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function health(status: number): Promise<number> {
  const server = createHttpServer((request, response) => {
    response.writeHead(request.url === "/healthz" ? status : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function balancerOf(change: Partial<BalancerView> & { readonly healthPort: number }): Promise<BalancerView> {
  const { healthPort, ...rest } = change;
  const view: BalancerView = {
    port: await freePort(),
    proxyProtocol: true,
    health: { port: healthPort, path: "/healthz" },
    targets: [{ address: host, port: await target() }],
    ...rest,
  };
  const look = () => Promise.resolve(view);
  const balancer = new Balancer({ address: host, look, timers: systemTimers, fraction: () => 0 });
  cleanups.push(() => balancer.end());
  await balancer.start();
  return view;
}

/** What comes back for `text`, and the client's own port. */
function exchange(port: number, text: string): Promise<{ readonly answer: Buffer; readonly from: number }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let from = 0;
    const socket = connect({ host, port, allowHalfOpen: true }, () => {
      from = socket.localPort ?? 0;
      socket.end(text);
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve({ answer: Buffer.concat(chunks), from }));
  });
}

/** The same, again while there is nothing: a machine that stands still makes a target look unwell until the next look. */
async function answered(port: number, text: string) {
  for (;;) {
    const exchanged = await exchange(port, text);
    if (exchanged.answer.length > 0) return exchanged;
  }
}

test("a connection reaches a healthy target, after a header that names the client, and half-closes pass", async () => {
  const { port } = await balancerOf({ healthPort: await health(200) });
  const { answer, from } = await answered(port, "hello");
  const header = readProxyHeader(answer);
  expect(header).toMatchObject({ kind: "proxied", connection: { source: { address: host, port: from } } });
  expect(answer.subarray(header.kind === "proxied" ? header.bytes : 0).toString()).toBe("hello");
});

test("without PROXY protocol in its group there is no header", async () => {
  const { port } = await balancerOf({ healthPort: await health(200), proxyProtocol: false });
  expect((await answered(port, "hello")).answer.toString()).toBe("hello");
});

test("a target that says it is not well gets nothing", async () => {
  const { port } = await balancerOf({ healthPort: await health(503) });
  expect((await exchange(port, "hello")).answer.length).toBe(0);
});
