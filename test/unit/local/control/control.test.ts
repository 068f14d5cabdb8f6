import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askSupervisor } from "../../../../local/control/control-client.ts";
import type { ControlRequest } from "../../../../local/control/control-protocol.ts";
import { type ControlServer, startControlServer } from "../../../../local/control/control-server.ts";

let directory: string;
let socketPath: string;
let server: ControlServer;
const asked: ControlRequest[] = [];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "balafon-control-"));
  socketPath = path.join(directory, "control.sock");
  asked.length = 0;
  server = await startControlServer(socketPath, (request) => {
    asked.push(request);
    if (request.brokerId === 9) return Promise.reject(new Error("no broker 9"));
    return Promise.resolve({ ok: true, message: `${request.command} ${request.brokerId}` });
  });
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

function sendRaw(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(socketPath, () => socket.write(bytes));
    socket.on("error", () => resolve(text));
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("close", () => resolve(text));
  });
}

test("a request is answered, and only the owner can ask", async () => {
  expect(await askSupervisor(socketPath, { command: "kill", brokerId: 2 })).toEqual({ ok: true, message: "kill 2" });
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
});

test("a failure is an answer too", async () => {
  const answer = await askSupervisor(socketPath, { command: "kill", brokerId: 9 });
  expect(answer).toEqual({ ok: false, message: "Error: no broker 9" });
});

test("anything else is refused and acts on nothing", async () => {
  const lines = [
    "nonsense\n",
    '{"command":"format","brokerId":1}\n',
    '{"command":"kill","brokerId":"1"}\n',
    "null\n",
    "x".repeat(200_000),
  ];
  for (const line of lines) expect(await sendRaw(line)).toContain("not understood");
  expect(asked).toEqual([]);
});

test("nobody there: a rejection, not a wait", async () => {
  server.close();
  await expect(askSupervisor(socketPath, { command: "kill", brokerId: 1 })).rejects.toThrow(/ENOENT|ECONNREFUSED/);
});
