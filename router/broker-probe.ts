import { connect } from "node:net";
import { formatLocalHeader } from "../shared/proxy-protocol/proxy-header.ts";
import type { Look } from "./broker-watch-core.ts";
import { probeAnswerMs } from "./limits.ts";

const header = formatLocalHeader();

/**
 * One look at a broker's listener: the PROXY header of a connection of our own, and the end of it. The broker's process
 * (not its kernel) answers with its own end.
 */
export function lookAtBroker(endpoint: { readonly host: string; readonly port: number }): Promise<Look> {
  return new Promise((resolve) => {
    let connected = false;
    const socket = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
    const settle = (look: Look) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(look);
    };
    const timer = setTimeout(() => settle("silent"), probeAnswerMs);
    socket.once("connect", () => {
      connected = true;
      socket.end(header);
    });
    // Whatever comes, a process has sent it.
    socket.once("data", () => settle("answered"));
    socket.once("end", () => settle("answered"));
    socket.on("error", () => settle(connected ? "answered" : "refused"));
  });
}
