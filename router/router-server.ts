import net from "node:net";
import type { HostAndPort } from "../shared/broker-config/broker-config.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { NetworkList } from "../shared/proxy-protocol/network-list.ts";
import { throttleLog } from "../shared/telemetry/log-throttle.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import type { Metrics } from "../shared/telemetry/metrics.ts";
import { addressKey } from "./address-key.ts";
import { brokerKey } from "./broker-watch.ts";
import {
  type ByteCounters,
  ClientConnection,
  type ConnectionHost,
  type RefusalReason,
  type Routed,
} from "./client-connection.ts";
import { ConnectionLimits, type LimitReached } from "./connection-limits-core.ts";
import {
  assertRouterLimits,
  backlogConnectionsMax,
  keepAliveMs,
  type RouterLimits,
  unknownNameWaitersMax,
} from "./limits.ts";
import { ReadBuffers } from "./read-buffers.ts";
import type { Route, RoutedBroker } from "./routing-table-core.ts";
import { Side } from "./side.ts";

export interface RouterServerOptions {
  readonly listen: HostAndPort;
  /** Who sends PROXY headers, and must; undefined: clients connect by themselves. */
  readonly proxies: NetworkList | undefined;
  readonly limits: RouterLimits;
  /** What the logs say of a name now. */
  readonly route: (name: string) => Route;
  /** Looks at the logs once more. */
  readonly refresh: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The router's port: accepts, limits, routes, and knows which connection leads to which broker. */
export class RouterServer {
  readonly #options: RouterServerOptions;
  readonly #limits: ConnectionLimits;
  readonly #server: net.Server;
  readonly #buffers = new ReadBuffers();
  readonly #connections = new Set<ClientConnection>();
  readonly #byBroker = new Map<string, Set<ClientConnection>>();
  readonly #acceptedMs = new WeakMap<ClientConnection, number>();
  readonly #warn: Logger["warn"];
  /** One for all connections: thousands of them are idle. */
  readonly #host: ConnectionHost = {
    identify: (address) => this.#identify(address),
    route: (connection, name) => this.#route(connection, name),
    onSpliced: (connection) => this.#onSpliced(connection),
    onRefused: ({ name, address }, reason) => this.#countRefusal(reason, { name, address }),
    onGone: (connection) => this.#onGone(connection),
  };
  #waiters = 0;
  #draining = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: RouterServerOptions) {
    assertRouterLimits(options.limits);
    this.#options = options;
    this.#limits = new ConnectionLimits(options.limits);
    const throttled = throttleLog(options.clock, (event, fields) => options.logger.warn(event, fields));
    this.#warn = (event, fields) => throttled(event, fields ?? {});
    this.#server = net.createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveMs,
        // The connection moves to a socket that reads into lent memory, before a byte is read.
        pauseOnConnect: true,
      },
      (socket) => this.#accept(socket),
    );
    options.metrics.onScrape("routerConnections", { state: "stranger" }, () => this.#limits.strangers);
    options.metrics.onScrape(
      "routerConnections",
      { state: "routed" },
      () => this.#limits.open - this.#limits.strangers,
    );
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Rejects with the operating system's error, such as EADDRINUSE. */
  async start(): Promise<void> {
    const { listen, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ ...listen, backlog: backlogConnectionsMax }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => logger.warn("listener-error", { error }));
        resolve();
      });
    });
  }

  /** Accepts nothing more; connections that run go on. */
  close(): void {
    this.#draining = true;
    if (this.#server.listening) this.#server.close();
    for (const connection of this.#connections) if (!connection.spliced) connection.refuse("draining");
  }

  /** Resolves when no connection is left. */
  async untilEmpty(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut("drained");
  }

  /** Resets what leads to a broker that is given up: its clients ask elsewhere at once. */
  cutBroker(broker: RoutedBroker): void {
    const connections = [...(this.#byBroker.get(brokerKey(broker)) ?? [])];
    for (const connection of connections) connection.cut("broker-dead");
    const { cell, brokerId } = broker;
    this.#options.logger.warn("broker-cut", { cell, brokerId, connections: connections.length });
  }

  #accept(socket: net.Socket): void {
    const { proxies } = this.#options;
    const refusal = this.#refusalOf(socket);
    if (refusal !== undefined) {
      this.#countRefusal(refusal, { address: socket.remoteAddress });
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    const connection = new ClientConnection(Side.accept(socket, this.#buffers), this.#buffers, this.#host);
    this.#connections.add(connection);
    this.#acceptedMs.set(connection, this.#nowMs);
    connection.start(proxies !== undefined);
  }

  #refusalOf(socket: net.Socket): RefusalReason | "not-a-proxy" | undefined {
    const { proxies } = this.#options;
    if (this.#draining) return "draining";
    if (proxies !== undefined && !proxies.includes(socket.remoteAddress ?? "")) return "not-a-proxy";
    return this.#limits.accept();
  }

  #identify(address: string): LimitReached | undefined {
    return this.#limits.identify(addressKey(address), this.#nowMs);
  }

  async #route(connection: ClientConnection, name: string): Promise<Routed> {
    let found = this.#options.route(name);
    if (found.kind === "unknown" && this.#waiters < unknownNameWaitersMax) {
      // Made a moment ago, perhaps, and not read yet.
      this.#waiters++;
      await this.#options.refresh();
      this.#waiters--;
      found = this.#options.route(name);
    }
    if (connection.over) return { kind: "refused", reason: "gone", alert: undefined };
    if (found.kind === "unknown") return { kind: "refused", reason: "name-unknown", alert: "unrecognized_name" };
    // No alert for what may pass: a Java client takes any for a failed authentication, which it does not try again.
    if (found.kind === "unavailable") return { kind: "refused", reason: "no-broker", alert: undefined };
    const reached = this.#limits.name(found.lkc, this.#nowMs);
    return reached === undefined ? found : { kind: "refused", reason: reached, alert: undefined };
  }

  #onSpliced(connection: ClientConnection): ByteCounters {
    const { metrics, logger } = this.#options;
    const { broker, name, lkc = "", address } = connection;
    if (broker !== undefined) {
      const key = brokerKey(broker);
      const connections = this.#byBroker.get(key) ?? new Set();
      this.#byBroker.set(key, connections.add(connection));
    }
    metrics.counter("routerOpened", { lkc }).add(1);
    metrics
      .histogram("routerRouteLatency", {})
      .observe((this.#nowMs - (this.#acceptedMs.get(connection) ?? 0)) / 1_000);
    logger.debug("connection-routed", { name, address, lkc, cell: broker?.cell, brokerId: broker?.brokerId });
    return {
      in: metrics.counter("routerBytes", { lkc, direction: "in" }),
      out: metrics.counter("routerBytes", { lkc, direction: "out" }),
    };
  }

  #onGone(connection: ClientConnection): void {
    const { metrics, logger } = this.#options;
    const { broker, name, address, lkc, closeReason } = connection;
    this.#connections.delete(connection);
    this.#limits.release({ address: address === undefined ? undefined : addressKey(address), lkc }, this.#nowMs);
    if (broker !== undefined) {
      const key = brokerKey(broker);
      const connections = this.#byBroker.get(key);
      connections?.delete(connection);
      if (connections?.size === 0) this.#byBroker.delete(key);
      metrics.counter("routerClosed", { reason: closeReason ?? "ended" }).add(1);
      logger.debug("connection-ended", { name, address, reason: closeReason });
    }
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #countRefusal(
    reason: RefusalReason | "not-a-proxy",
    about: { readonly name?: string | undefined; readonly address: string | undefined },
  ): void {
    this.#options.metrics.counter("routerRefused", { reason }).add(1);
    // A line of its own, so that other refusals never crowd it out: it tells a person what was mistyped.
    if (reason === "name-unknown") this.#warn("name-unknown", about);
    else if (reason !== "gone") this.#warn("connection-refused", { reason, ...about });
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
