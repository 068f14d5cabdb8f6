import { strict as assert } from "node:assert";
import type net from "node:net";
import { verifySecret } from "../../shared/access/api-key-secret.ts";
import type { CancelTimer } from "../../shared/ports/timers.ts";
import { throttleLog } from "../../shared/telemetry/log-throttle.ts";
import { type AdmissionLimits, admissionLimits } from "../admission/limits.ts";
import { type LongestWait, MemoryBudget } from "../admission/memory-budget.ts";
import { createRegistry } from "../dispatch/all-handlers.ts";
import type { BrokerServices } from "../handlers/context/broker-services.ts";
import type { ClientIdentity } from "../handlers/context/client-session.ts";
import { ApiKeyCredentials, type VerifySecret } from "./api-key-credentials.ts";
import { ConnectionCounts, type CountedConnection } from "./connection-counts.ts";
import { type ConnectionEnvironment, KafkaConnection } from "./kafka-connection.ts";
import { assertConnectionLimits, type ConnectionLimits, connectionLimits } from "./limits.ts";
import { Listener, type ListenerConfig, type TlsMaterial } from "./listener.ts";
import { TurnFlusher } from "./outbox.ts";
import { readProxied } from "./proxied-accept.ts";

export interface KafkaServerOptions {
  readonly listeners: readonly ListenerConfig[];
  readonly services: BrokerServices;
  /** How secrets are checked; the cell's own way when left out. */
  readonly verifySecret?: VerifySecret;
  readonly limits?: Partial<ConnectionLimits>;
  readonly admission?: Partial<AdmissionLimits>;
}

/**
 * The broker's Kafka ports: accepts clients, keeps their number and memory within limits, and looks after deadlines.
 *
 *   made ──start──▶ serving ──stop──▶ draining ──all closed, or time over──▶ stopped
 */
export class KafkaServer {
  readonly #services: BrokerServices;
  readonly #limits: ConnectionLimits;
  readonly #admission: AdmissionLimits;
  readonly #listeners: readonly Listener[];
  readonly #environment: ConnectionEnvironment;
  readonly #counts: ConnectionCounts;
  readonly #connections = new Set<KafkaConnection>();
  /** Accepted from a proxy that has not said yet whose connection it is. */
  readonly #unannounced = new Set<net.Socket>();
  #cancelSweep: CancelTimer | undefined;
  #stopping = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: KafkaServerOptions) {
    const { services } = options;
    this.#services = services;
    this.#limits = { ...connectionLimits, ...options.limits };
    this.#admission = { ...admissionLimits, ...options.admission };
    assertConnectionLimits(this.#limits, this.#admission);
    const nowMs = () => services.clock.monotonicMs();
    this.#counts = new ConnectionCounts(this.#limits);
    this.#environment = {
      services,
      registry: createRegistry(services),
      credentials: new ApiKeyCredentials({
        image: () => services.image(),
        verifySecret: options.verifySecret ?? verifySecret,
        clock: services.clock,
        lookUp: () => services.logLook.look(),
      }),
      limits: this.#limits,
      rules: { ...this.#limits, mechanisms: ["PLAIN"] },
      flusher: new TurnFlusher(services.timers),
      reports: {
        warn: throttleLog(services.clock, (event, fields) => services.logger.warn(event, fields)),
        error: throttleLog(services.clock, (event, fields) => services.logger.error(event, fields)),
      },
      memory: new MemoryBudget(
        {
          bytesMax: this.#admission.memoryBytesMax,
          shareBytesMax: this.#admission.tenantMemoryBytesMax,
          modest: {
            bytes: this.#admission.modestMemoryBytes,
            accountBytesMax: this.#admission.modestTenantBytesMax,
          },
        },
        nowMs,
      ),
      strangerMemory: new MemoryBudget(
        { bytesMax: this.#admission.strangerMemoryBytesMax, shareBytesMax: this.#admission.strangerAddressBytesMax },
        nowMs,
      ),
    };
    this.#listeners = options.listeners.map(
      (config) => new Listener(config, (socket, listener) => this.#accept(socket, listener)),
    );
    this.#measure();
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Bytes held for requests and responses of all connections. */
  get memoryBytes(): number {
    return this.#environment.memory.usedBytes + this.#environment.strangerMemory.usedBytes;
  }

  /** The port of a listener; 0 when there is none of that name, or it has not started. */
  port(listener: string): number {
    return this.#listeners.find(({ config }) => config.name === listener)?.port ?? 0;
  }

  /** Opens all ports, or none: rejects with the operating system's error for the first that fails. */
  async start(): Promise<void> {
    assert(!this.#stopping, "a server is started once");
    try {
      for (const listener of this.#listeners) {
        await listener.start(this.#limits.backlogConnectionsMax, (error) =>
          this.#services.logger.warn("listener-error", { listener: listener.config.name, error }),
        );
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.stop();
      throw error;
    }
    this.#planSweep();
  }

  /** Accepts nothing new, lets requests in flight finish for at most so long, and closes every connection. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const listener of this.#listeners) listener.stop();
    for (const socket of this.#unannounced) socket.destroy();
    const deadlineMs = this.#services.clock.monotonicMs() + drainMs;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const connection of this.#connections) connection.drain("shutdown", deadlineMs);
    const cancel = this.#services.timers.after(drainMs, () => {
      for (const connection of this.#connections) connection.fail("shutdown");
    });
    if (this.#connections.size > 0) await empty;
    cancel();
    this.#cancelSweep?.();
  }

  /** Takes a new key and certificate into use on a TLS listener, for new connections. Throws when they are not valid. */
  setTls(listener: string, material: TlsMaterial): void {
    this.#listeners.find(({ config }) => config.name === listener)?.setTls(material);
  }

  #accept(socket: net.Socket, listener: Listener): void {
    const { security } = listener.config;
    const address = socket.remoteAddress ?? "unknown";
    if (security.kind === "plaintext" || security.proxies === undefined) return this.#admit(socket, listener, address);
    const full = this.#unannounced.size >= this.#limits.strangersPerListenerMax;
    if (full || this.#stopping || !security.proxies.includes(address)) {
      return this.#refuse(socket, listener, { address, refusal: full ? "strangers-full" : "not-a-proxy" });
    }
    this.#unannounced.add(socket);
    readProxied(socket, this.#services.timers, (outcome) => {
      this.#unannounced.delete(socket);
      if (outcome.kind === "client") this.#admit(socket, listener, outcome.address);
      else if (outcome.kind === "refused") this.#refuse(socket, listener, { address, refusal: outcome.reason });
    });
  }

  /** `address` is the client's. */
  #admit(socket: net.Socket, listener: Listener, address: string): void {
    const { name, security } = listener.config;
    const counted: CountedConnection = { listener: name, address, stranger: security.kind !== "plaintext" };
    const refusal = this.#stopping ? "stopping" : this.#counts.refusal(counted);
    if (refusal !== undefined) this.#refuse(socket, listener, { address, refusal });
    else this.#open(socket, listener, counted);
  }

  #refuse(
    socket: net.Socket,
    listener: Listener,
    { address, refusal }: { readonly address: string; readonly refusal: string },
  ): void {
    const { name } = listener.config;
    this.#environment.reports.warn("connection-refused", { listener: name, address, refusal });
    this.#services.metrics.counter("connectionsClosed", { listener: name, reason: refusal }).add(1);
    socket.destroy();
  }

  #open(socket: net.Socket, listener: Listener, counted: CountedConnection): void {
    const { name, security } = listener.config;
    const { metrics } = this.#services;
    const identity: ClientIdentity | undefined =
      security.kind === "plaintext"
        ? { lkc: security.lkc, principal: security.principal, keyId: undefined }
        : undefined;
    this.#counts.add(counted);
    metrics.counter("connectionsOpened", { listener: name }).add(1);
    const connection: KafkaConnection = new KafkaConnection(listener.secure(socket) ?? socket, this.#environment, {
      listener: name,
      remoteAddress: counted.address,
      identity,
      routed: security.kind === "sasl-ssl" ? security.routed : undefined,
      onAuthenticated: () => this.#counts.welcome(counted),
      onRefused: () => metrics.counter("authenticationFailures", { listener: name }).add(1),
      onClosed: (cause) => {
        this.#connections.delete(connection);
        this.#counts.remove(counted);
        metrics.counter("connectionsClosed", { listener: name, reason: cause }).add(1);
        if (cause === "tls-failed") metrics.counter("authenticationFailures", { listener: name }).add(1);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    });
    this.#connections.add(connection);
  }

  #planSweep(): void {
    this.#cancelSweep = this.#services.timers.after(this.#limits.sweepMs, () => {
      this.#sweep();
      this.#planSweep();
    });
  }

  #sweep(): void {
    const nowMs = this.#services.clock.monotonicMs();
    for (const connection of this.#connections) connection.tick(nowMs);
    this.#relieve(this.#environment.memory, false);
    this.#relieve(this.#environment.strangerMemory, true);
  }

  /** When somebody has waited too long for memory, those who hold theirs by being slow give it back, the slowest first. */
  #relieve(memory: MemoryBudget, strangers: boolean): void {
    const starved = (): LongestWait | undefined => {
      const longest = memory.longestWait();
      return longest !== undefined && longest.waitedMs >= this.#admission.starvedMs ? longest : undefined;
    };
    const wait = starved();
    if (wait === undefined) return;
    const slowBeforeMs = this.#services.clock.monotonicMs() - this.#admission.slowPeerMs;
    const slow: { readonly connection: KafkaConnection; readonly sinceMs: number }[] = [];
    for (const connection of this.#connections) {
      const { stranger, account, slowSinceMs: sinceMs } = connection;
      if (stranger !== strangers || sinceMs === undefined || sinceMs > slowBeforeMs) continue;
      // Who has used up its own share is not helped by what others give back.
      if (!wait.byOwnShare || account === wait.account) slow.push({ connection, sinceMs });
    }
    slow.sort((a, b) => a.sinceMs - b.sinceMs);
    for (const { connection } of slow) {
      if (starved() === undefined) return;
      connection.fail("slow-peer");
    }
  }

  #measure(): void {
    const { metrics } = this.#services;
    metrics.onScrape("requestMemory", {}, () => this.memoryBytes);
    for (const { config } of this.#listeners) {
      const { name } = config;
      metrics.onScrape("connections", { listener: name }, () => this.#counts.open(name));
    }
  }
}
