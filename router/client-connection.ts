import { strict as assert } from "node:assert";
import { formatProxyHeader, type ProxiedConnection } from "../shared/proxy-protocol/proxy-header.ts";
import type { Counter } from "../shared/telemetry/metrics.ts";
import type { LimitReached } from "./connection-limits-core.ts";
import { connectAttemptsMax, connectMs, refusalMs } from "./limits.ts";
import type { ReadBuffers } from "./read-buffers.ts";
import type { RoutedBroker } from "./routing-table-core.ts";
import { Side } from "./side.ts";
import { Splice, type SpliceEnd } from "./splice.ts";
import { Stranger, type StrangerRefusal } from "./stranger.ts";
import { formatAlert, type TlsAlert } from "./tls-alert.ts";

/** Why a connection never reached a broker. Also a metric's label: few and stable. */
export type RefusalReason =
  | StrangerRefusal
  | LimitReached
  | "name-unknown"
  /** The name means something, but nobody is there now. */
  | "no-broker"
  | "connect-failed"
  | "draining";

export type CloseReason = SpliceEnd | "broker-dead" | "drained";

export type Routed =
  | { readonly kind: "brokers"; readonly lkc: string; readonly candidates: readonly RoutedBroker[] }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly alert: TlsAlert | undefined };

export interface ByteCounters {
  readonly in: Counter;
  readonly out: Counter;
}

/** What a connection asks of the router. Called in the order of a connection's life. */
export interface ConnectionHost {
  identify(address: string): LimitReached | undefined;
  /** Where its name leads; the connection is counted for its cluster, unless it is over by then. */
  route(connection: ClientConnection, name: string): Promise<Routed>;
  onSpliced(connection: ClientConnection): ByteCounters;
  onRefused(connection: ClientConnection, reason: RefusalReason): void;
  /** Once, at the very end; nothing of the connection is left. */
  onGone(connection: ClientConnection): void;
}

/**
 * One client's connection through the router:
 *
 *   accepted ─▶ named ─▶ routed ─▶ connected ─▶ spliced ─▶ gone
 *       └─────────┴────────┴─────────┴─▶ refused (an alert, if it will never be otherwise) ─▶ gone
 */
export class ClientConnection {
  readonly #client: Side;
  readonly #buffers: ReadBuffers;
  readonly #host: ConnectionHost;
  #connection: ProxiedConnection | undefined;
  #upstream: Side | undefined;
  #stranger: Stranger | undefined;
  #gone = false;
  #refused = false;
  /** As in the hello; undefined before it. */
  name: string | undefined;
  /** Set once it counts for a cluster. */
  lkc: string | undefined;
  /** Set once it counts for an address. */
  address: string | undefined;
  broker: RoutedBroker | undefined;
  closeReason: CloseReason | undefined;

  constructor(client: Side, buffers: ReadBuffers, host: ConnectionHost) {
    this.#client = client;
    this.#buffers = buffers;
    this.#host = host;
    client.socket.once("close", () => this.#onClosed());
  }

  get spliced(): boolean {
    return this.#upstream !== undefined;
  }

  /** It was refused, or its socket is gone. */
  get over(): boolean {
    return this.#refused || this.#gone;
  }

  /** Begins to read; `expectsHeader`: a balancer sends a PROXY header first. */
  start(expectsHeader: boolean): void {
    this.#stranger = new Stranger(this.#client, {
      expectsHeader,
      events: {
        onIdentified: (connection) => this.#identify(connection),
        onNamed: (name, hello) => void this.#route(name, hello),
        onRefused: (reason, alert) => this.refuse(reason, alert),
        onProbe: () => this.#client.socket.end(),
      },
    });
  }

  /** Ends a connection that has not reached its broker. The alert is written first, and given some time. */
  refuse(reason: RefusalReason, alert?: TlsAlert): void {
    if (this.#refused || this.#gone) return;
    this.#refused = true;
    this.#stranger?.release();
    this.#host.onRefused(this, reason);
    const { socket } = this.#client;
    if (alert === undefined) {
      socket.destroy();
      return;
    }
    socket.end(formatAlert(alert));
    // What the client goes on to send is thrown away: a reset would overtake the alert.
    this.#client.receive = () => "done";
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), refusalMs);
    socket.once("close", () => clearTimeout(timer));
    socket.once("end", () => socket.destroySoon());
  }

  /** Cuts both sides at once. */
  cut(reason: CloseReason): void {
    this.closeReason ??= reason;
    this.#stranger?.release();
    this.#upstream?.socket.destroy();
    if (reason === "broker-dead") this.#client.socket.resetAndDestroy();
    else this.#client.socket.destroy();
  }

  #identify(connection: ProxiedConnection): boolean {
    this.#connection = connection;
    const reached = this.#host.identify(connection.source.address);
    if (reached !== undefined) this.refuse(reached);
    else this.address = connection.source.address;
    return reached === undefined;
  }

  async #route(name: string, hello: readonly Buffer[]): Promise<void> {
    // It keeps the hello, which nobody needs for hours.
    this.#stranger = undefined;
    this.name = name;
    const routed = await this.#host.route(this, name);
    if (routed.kind === "refused") return this.refuse(routed.reason, routed.alert);
    this.lkc = routed.lkc;
    const upstream = await this.#connectAny(routed.candidates);
    if (this.over) upstream?.side.socket.destroy();
    else if (upstream === undefined) this.refuse("connect-failed");
    else this.#splice(upstream.side, upstream.broker, hello);
  }

  async #connectAny(
    candidates: readonly RoutedBroker[],
  ): Promise<{ readonly side: Side; readonly broker: RoutedBroker } | undefined> {
    for (const broker of candidates.slice(0, connectAttemptsMax)) {
      const side = await connectTo(broker, this.#buffers);
      if (side !== undefined) return { side, broker };
      if (this.over) return undefined;
    }
    return undefined;
  }

  #splice(upstream: Side, broker: RoutedBroker, hello: readonly Buffer[]): void {
    assert(this.#connection !== undefined, "who connects is known before the name");
    this.#upstream = upstream;
    this.broker = broker;
    const bytes = this.#host.onSpliced(this);
    const first = Buffer.concat([formatProxyHeader(this.#connection), ...hello]);
    upstream.socket.write(first);
    bytes.in.add(first.length);
    new Splice(this.#client, upstream, {
      onBytes: (direction, count) => bytes[direction].add(count),
      onClosed: (how) => {
        this.closeReason ??= how;
        this.#leave();
      },
    });
  }

  #onClosed(): void {
    // Joined to a broker, it is gone when both sockets are.
    if (this.#upstream === undefined) this.#leave();
  }

  #leave(): void {
    this.#gone = true;
    this.#stranger?.release();
    this.#host.onGone(this);
  }
}

/** undefined when the broker does not take the connection in time. */
function connectTo(broker: RoutedBroker, buffers: ReadBuffers): Promise<Side | undefined> {
  return new Promise((resolve) => {
    const side = Side.connect(broker, buffers);
    const { socket } = side;
    const settle = (connected: Side | undefined) => {
      clearTimeout(timer);
      socket.off("connect", onConnect).off("close", onClose);
      resolve(connected);
    };
    const onConnect = () => settle(side);
    const onClose = () => settle(undefined);
    const timer = setTimeout(() => socket.destroy(), connectMs);
    socket.once("connect", onConnect).once("close", onClose);
  });
}
