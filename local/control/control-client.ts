import { connect } from "node:net";
import { controlAnswerMsMax, controlMessageBytesMax } from "../limits.ts";
import type { ControlAnswer, ControlRequest } from "./control-protocol.ts";

/** Asks the running cloud; rejects when nobody answers on the socket. */
export function askSupervisor(socketPath: string, request: ControlRequest): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(socketPath, () => socket.write(`${JSON.stringify(request)}\n`));
    socket.setEncoding("utf8");
    socket.setTimeout(controlAnswerMsMax, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > controlMessageBytesMax) socket.destroy(new Error("an answer that is too long"));
    });
    socket.once("error", reject);
    socket.once("end", () => {
      try {
        resolve(JSON.parse(text) as ControlAnswer);
      } catch {
        reject(new Error("the answer cannot be read"));
      }
    });
  });
}
