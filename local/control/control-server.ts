import { chmodSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { controlAnswerMsMax, controlConnectionsMax, controlMessageBytesMax } from "../limits.ts";
import { type ControlAnswer, type ControlRequest, parseControlRequest } from "./control-protocol.ts";

export interface ControlServer {
  close(): void;
}

/** Listens on a Unix socket that only the owner of the data directory can open. */
export async function startControlServer(
  socketPath: string,
  answer: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<ControlServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, answer);
  });
  server.maxConnections = controlConnectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      resolve();
    });
  });
  chmodSync(socketPath, 0o600);
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: Socket, answer: (request: ControlRequest) => Promise<ControlAnswer>): void {
  let text = "";
  let asked = false;
  socket.setEncoding("utf8");
  socket.setTimeout(controlAnswerMsMax, () => socket.destroy());
  socket.on("error", () => undefined);
  socket.on("data", (chunk: string) => {
    if (asked) return;
    text += chunk;
    const end = text.indexOf("\n");
    if (end < 0 && text.length <= controlMessageBytesMax) return;
    asked = true;
    const request = end < 0 ? undefined : parseControlRequest(text.slice(0, end));
    const answered = request === undefined ? Promise.resolve(notUnderstood) : answer(request);
    answered.then(
      (reply) => socket.end(`${JSON.stringify(reply)}\n`),
      (error: unknown) => socket.end(`${JSON.stringify({ ok: false, message: String(error) })}\n`),
    );
  });
}

const notUnderstood: ControlAnswer = { ok: false, message: "that request is not understood" };
