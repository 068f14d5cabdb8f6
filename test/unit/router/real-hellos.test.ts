/** Hellos of clients as they are on this machine, made when the test runs. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { nodeClientHello } from "../../../bench/router/client-hello.ts";
import { ClientHelloReader, type HelloOutcome } from "../../../router/client-hello-core.ts";

const name = "b3-lkc-7k2m9.zone-a.balafon.example";

function read(bytes: Buffer): HelloOutcome {
  return new ClientHelloReader().push(bytes);
}

/** The first bytes that a program sends to the port it is given. */
async function firstBytes(start: (port: number) => { kill(): unknown }): Promise<Buffer> {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = start((server.address() as { readonly port: number }).port);
  const socket = await accepted.promise;
  socket.on("error", () => undefined);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  client.kill();
  server.close();
  return bytes;
}

test("Node", async () => {
  expect(read(await nodeClientHello(name))).toEqual({ kind: "name", name });
  expect(read(await nodeClientHello(undefined))).toMatchObject({ kind: "refused", reason: "no-name" });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const openssl = (...args: readonly string[]) =>
  firstBytes((port) => spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...args], { stdio: "ignore" }));

test.runIf(hasOpenssl).each([["-tls1_3"], ["-tls1_2"]])("openssl s_client %s", async (version) => {
  expect(read(await openssl(version, "-servername", name))).toEqual({ kind: "name", name });
  expect(read(await openssl(version, "-noservername"))).toMatchObject({ kind: "refused", reason: "no-name" });
});
