import { strict as assert } from "node:assert";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { nodeClientHello } from "../../../bench/router/client-hello.ts";
import { type RouterLimits, routerLimits } from "../../../router/limits.ts";
import { RouterServer } from "../../../router/router-server.ts";
import { type Route, type RoutedBroker } from "../../../router/routing-table-core.ts";
import { systemClock } from "../../../shared/ports/clock.ts";
import { readNetworks } from "../../../shared/proxy-protocol/network-list.ts";
import { type ProxiedConnection, readProxyHeader } from "../../../shared/proxy-protocol/proxy-header.ts";
import { type LogFields, type Logger, silentLogger } from "../../../shared/telemetry/logger.ts";
import { MetricsRegistry } from "../../../shared/telemetry/metrics-registry.ts";

/** What came out of the router for one connection: its header, and the bytes after it as they come. */
export interface Arrived {
  readonly socket: Socket;
  readonly connection: ProxiedConnection;
  /** Waits until so many bytes have come since the header. */
  bytes(count: number): Promise<Buffer>;
}

/** A listener that stands for a broker: answers a router's looks by itself, and hands clients' connections over. */
export class FakeBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #arrived: Arrived[] = [];
  readonly #waiting: ((arrived: Arrived) => void)[] = [];

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      void this.#receive(socket);
    });
  }

  static async start(): Promise<FakeBroker> {
    const broker = new FakeBroker();
    broker.#server.listen(0, "127.0.0.1");
    await once(broker.#server, "listening");
    return broker;
  }

  routed(brokerId = 1, cell = "cell"): RoutedBroker {
    const { port } = this.#server.address() as { readonly port: number };
    return { cell, brokerId, zone: "zone-a", host: "127.0.0.1", port };
  }

  /** The next connection of a client. */
  next(): Promise<Arrived> {
    const arrived = this.#arrived.shift();
    return arrived === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(arrived);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #receive(socket: Socket): Promise<void> {
    const chunks: Buffer[] = [];
    let length = 0;
    let onMore: () => void = () => undefined;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      onMore();
    });
    const until = async (enough: () => boolean) => {
      while (!enough()) {
        await new Promise<void>((resolve) => {
          onMore = resolve;
        });
      }
      return Buffer.concat(chunks);
    };
    const header = readProxyHeader(await until(() => readProxyHeader(Buffer.concat(chunks)).kind !== "more"));
    assert(header.kind === "proxied" || header.kind === "local", "routers send a header first");
    if (header.kind === "local") {
      socket.end();
      return;
    }
    const arrived: Arrived = {
      socket,
      connection: header.connection,
      bytes: async (count) => (await until(() => length >= header.bytes + count)).subarray(header.bytes),
    };
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#arrived.push(arrived);
    else taker(arrived);
  }
}

export interface RouterOptions {
  /** By the name in the hello; other names are unknown. */
  readonly routes: Readonly<Record<string, Route>>;
  readonly limits?: Partial<RouterLimits>;
  readonly proxies?: readonly string[];
  readonly refresh?: () => Promise<void>;
}

/** A router's port over routes that a test gives it. */
export class RunningRouter {
  readonly server: RouterServer;
  readonly metrics = new MetricsRegistry();
  readonly warnings: (readonly [string, LogFields])[] = [];
  readonly #clients: Socket[] = [];

  private constructor(options: RouterOptions) {
    const logger: Logger = {
      ...silentLogger,
      warn: (event, fields = {}) => void this.warnings.push([event, fields]),
    };
    const networks = readNetworks(options.proxies ?? []);
    assert(networks.kind === "networks");
    this.server = new RouterServer({
      listen: { host: "127.0.0.1", port: 0 },
      proxies: options.proxies === undefined ? undefined : networks.list,
      limits: { ...routerLimits, ...options.limits },
      route: (name) => options.routes[name] ?? { kind: "unknown" },
      refresh: options.refresh ?? (() => Promise.resolve()),
      clock: systemClock,
      logger,
      metrics: this.metrics,
    });
  }

  static async start(options: RouterOptions): Promise<RunningRouter> {
    const router = new RunningRouter(options);
    await router.server.start();
    return router;
  }

  /** A client's socket, which may send what it likes. */
  async connect(first?: Buffer): Promise<Socket> {
    const socket = connect({ host: "127.0.0.1", port: this.server.port, allowHalfOpen: true });
    this.#clients.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    if (first !== undefined) socket.write(first);
    return socket;
  }

  /** One that has sent its hello for the name. */
  async hello(name: string | undefined, before: Buffer = Buffer.alloc(0)): Promise<Socket> {
    return this.connect(Buffer.concat([before, await nodeClientHello(name)]));
  }

  refused(reason: string): number {
    return this.metrics.valueOf("routerRefused", { reason });
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.cutAll();
    for (const client of this.#clients) client.destroy();
    await this.server.untilEmpty();
  }
}

/** All that a socket still brings until its end, or until it is cut. */
export function rest(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = () => resolve(Buffer.concat(chunks));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("end", done).once("close", done);
    if (socket.destroyed) done();
  });
}

/** Resolves when the socket is closed, with or without an error. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.once("end", () => socket.destroy());
    socket.resume();
  });
}
