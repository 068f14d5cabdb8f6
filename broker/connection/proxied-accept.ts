import type net from "node:net";
import type { Timers } from "../../shared/ports/timers.ts";
import { proxyHeaderMs } from "../../shared/proxy-protocol/limits.ts";
import { readProxyHeader } from "../../shared/proxy-protocol/proxy-header.ts";

export type ProxiedOutcome =
  /** A client's connection: what the socket brings from now on is the client's. */
  | { readonly kind: "client"; readonly address: string }
  /** The proxy only looked whether somebody answers; the socket is closed. */
  | { readonly kind: "probe" }
  /** The socket is closed. */
  | { readonly kind: "refused"; readonly reason: "no-proxy-header" | "proxy-header-late" };

/**
 * Reads the PROXY header of an accepted, paused connection and leaves it paused. A connection of the proxy's own that
 * says nothing after its header is a health check: the end of it is answered with ours.
 */
export function readProxied(socket: net.Socket, timers: Timers, done: (outcome: ProxiedOutcome) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const settle = (outcome: ProxiedOutcome) => {
    cancel();
    socket.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onError);
    // A socket that fails meanwhile tells by its end; without a listener its error would end the process.
    if (outcome.kind !== "client") socket.on("error", onError);
    if (outcome.kind === "probe") socket.end();
    if (outcome.kind === "refused") socket.destroy();
    done(outcome);
  };
  const onData = (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const header = readProxyHeader(received);
    if (header.kind === "malformed") return settle({ kind: "refused", reason: "no-proxy-header" });
    if (header.kind === "more" || (header.kind === "local" && received.length === header.bytes)) return;
    socket.pause();
    if (received.length > header.bytes) socket.unshift(received.subarray(header.bytes));
    const address = header.kind === "proxied" ? header.connection.source.address : socket.remoteAddress;
    settle({ kind: "client", address: address ?? "unknown" });
  };
  const onEnd = () => {
    const { kind } = readProxyHeader(received);
    settle(kind === "local" ? { kind: "probe" } : { kind: "refused", reason: "no-proxy-header" });
  };
  const onClose = () => settle({ kind: "refused", reason: "no-proxy-header" });
  const onError = () => undefined;
  const cancel = timers.after(proxyHeaderMs, () => settle({ kind: "refused", reason: "proxy-header-late" }));
  socket.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onError);
  socket.resume();
}
