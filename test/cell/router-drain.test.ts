import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeClientHello } from "../../bench/router/client-hello.ts";
import { type RoutedCell, startRouter } from "../../bench/router/routed-cell.ts";
import { closed, FakeBroker } from "../unit/router/running-router.ts";

let directory: string;
let broker: FakeBroker;
let router: RoutedCell | undefined;
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "balafon-drain-"));
  broker = await FakeBroker.start();
});
afterEach(() => {
  router?.end();
  broker.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(drain: { readonly listenMs: number; readonly deadlineMs: number }): Promise<RoutedCell> {
  const { port } = broker.routed();
  router = await startRouter({ directory, lkc: "lkc-drain", domain: "balafon.example", brokerPort: port, drain });
  return router;
}

async function client(port: number) {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  socket.write(await nodeClientHello("lkc-drain.balafon.example"));
  return socket;
}

async function arrived() {
  const next = await broker.next();
  await next.bytes(10);
  return next;
}

async function health(port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/healthz`)).status;
}

/** The system's code for a connection that is refused. */
function refusal(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

test("health fails first, and new clients still come in", async () => {
  // The rest of its life is of no interest here: so long does no machine stand still.
  const running = await start({ listenMs: 120_000, deadlineMs: 120_000 });
  expect(await health(running.healthPort)).toBe(200);
  process.kill(running.pid, "SIGTERM");
  while ((await health(running.healthPort)) === 200) await new Promise((resolve) => setTimeout(resolve, 10));
  const late = await client(running.port);
  const lateEnd = await arrived();
  const answer = new Promise((resolve) => late.once("data", (bytes) => resolve(String(bytes))));
  lateEnd.socket.end("an answer");
  expect(await answer).toBe("an answer");
  late.end();
  process.kill(running.pid, "SIGKILL");
});

test("then nobody comes in any more, what runs goes on, and in the end so does the process", async () => {
  const running = await start({ listenMs: 500, deadlineMs: 120_000 });
  const early = await client(running.port);
  const earlyEnd = await arrived();
  process.kill(running.pid, "SIGTERM");
  const answer = new Promise((resolve) => early.once("data", (bytes) => resolve(String(bytes))));
  while ((await refusal(running.port)) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await refusal(running.port)).toBe("ECONNREFUSED");
  earlyEnd.socket.end("the last answer");
  expect(await answer).toBe("the last answer");
  early.end();
  expect(await running.exited).toBe(0);
});

test("what does not end by itself is cut at the deadline", async () => {
  const running = await start({ listenMs: 0, deadlineMs: 300 });
  const idle = await client(running.port);
  await arrived();
  process.kill(running.pid, "SIGTERM");
  await closed(idle);
  expect(await running.exited).toBe(0);
});
