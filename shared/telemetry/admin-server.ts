import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "./logger.ts";

/** How a process is. Only `ok` answers 200: the process serves and reads the log; it never means that a quorum exists. */
export interface Health {
  readonly status: "starting" | "ok" | "stopping";
  /** Shown beside the status; no secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export interface AdminServerOptions {
  /** Loopback on one machine: whoever reaches the port may read the names of logical clusters. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Left out: there is no `/metrics` on this port. */
  readonly renderMetrics?: () => string;
  readonly health: () => Health;
  readonly logger: Logger;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

const adminConnectionsMax = 32;
const adminRequestMsMax = 5_000;
const adminHeaderBytesMax = 8 * 1024;
const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Serves `GET /metrics` (Prometheus text) and `GET /healthz` (JSON). Rejects when the port cannot be had. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(
    { maxHeaderSize: adminHeaderBytesMax, requestTimeout: adminRequestMsMax, headersTimeout: adminRequestMsMax },
    (request, response) => answer(options, request, response),
  );
  server.maxConnections = adminConnectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => options.logger.warn("admin-server-failed", { error }));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(options: AdminServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "/").split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    reply(response, 405, "text/plain; charset=utf-8", "only GET\n");
  } else if (path === "/metrics" && options.renderMetrics !== undefined) {
    reply(response, 200, prometheusContentType, options.renderMetrics());
  } else if (path === "/healthz") {
    const { status, details } = options.health();
    reply(response, status === "ok" ? 200 : 503, "application/json", `${JSON.stringify({ status, ...details })}\n`);
  } else {
    const there = options.renderMetrics === undefined ? "/healthz" : "/metrics and /healthz";
    reply(response, 404, "text/plain; charset=utf-8", `there is ${there}\n`);
  }
}

function reply(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
