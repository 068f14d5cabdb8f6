import type net from "node:net";
import { TLSSocket } from "node:tls";
import type { RoutedNames } from "../../shared/broker-config/broker-config.ts";
import { MalformedMessageError } from "../../shared/kafka/codec/message-error.ts";
import { FrameAssembler } from "../../shared/kafka/frame.ts";
import type { LogFields } from "../../shared/telemetry/logger.ts";
import { noMetrics } from "../../shared/telemetry/metrics.ts";
import { parseHostName } from "../../shared/tenancy/host-name.ts";
import type { MemoryAccount, MemoryBudget } from "../admission/memory-budget.ts";
import { type Opened, openRequest } from "../dispatch/open-request.ts";
import type { HandlerRegistry } from "../dispatch/registry.ts";
import type { BrokerServices } from "../handlers/context/broker-services.ts";
import type { ClientIdentity, ClientSession, Withdraw } from "../handlers/context/client-session.ts";
import { type Reply, type Served, Unanswered } from "../handlers/context/handler.ts";
import { TenantMeters } from "../handlers/context/tenant-meters.ts";
import { TenantView } from "../handlers/context/tenant-view.ts";
import type { ApiKeyCredentials } from "./api-key-credentials.ts";
import {
  acceptPlaintext,
  acceptSecured,
  type CloseCause,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionRules,
  type ConnectionState,
  expectsBareToken,
  isStranger,
  step,
} from "./connection-core.ts";
import { FrameIntake } from "./frame-intake.ts";
import { readPlainSocket, readTlsSocket } from "./frame-reader.ts";
import type { ConnectionLimits } from "./limits.ts";
import { Outbox, type TurnFlusher } from "./outbox.ts";
import { type PipelineOwner, RequestPipeline, type Startable } from "./request-pipeline.ts";
import { SaslSession } from "./sasl-session.ts";

type Report = (event: string, fields: LogFields) => void;

/** Log lines that peers can bring about: throttled, so that none of them fills a disk. */
export interface ConnectionReports {
  readonly warn: Report;
  readonly error: Report;
}

/** What all connections of a server share. */
export interface ConnectionEnvironment {
  readonly services: BrokerServices;
  readonly registry: HandlerRegistry;
  readonly credentials: ApiKeyCredentials;
  readonly limits: ConnectionLimits;
  readonly rules: ConnectionRules;
  readonly flusher: TurnFlusher;
  readonly reports: ConnectionReports;
  readonly memory: MemoryBudget;
  readonly strangerMemory: MemoryBudget;
}

export interface ConnectionOptions {
  readonly listener: string;
  readonly remoteAddress: string;
  /** Whom the listener is bound to; undefined: the client must authenticate. */
  readonly identity: ClientIdentity | undefined;
  /** How clients of this listener name brokers; undefined: by their addresses, and names in hellos mean nothing. */
  readonly routed: RoutedNames | undefined;
  /** Called when the client has proved who it is. */
  readonly onAuthenticated: () => void;
  readonly onRefused: () => void;
  /** Called once, when the socket is gone. */
  readonly onClosed: (cause: CloseCause) => void;
}

/** Ends that happen every day; all others are worth a warning. */
const usualCauses: ReadonlySet<CloseCause> = new Set(["peer-closed", "socket-error", "idle", "shutdown"]);

const bareTokenAnswer: readonly Buffer[] = Object.freeze([Buffer.alloc(4)]);

/** One client connection: carries out what `connection-core.ts` decides. */
export class KafkaConnection implements ClientSession, PipelineOwner {
  readonly #environment: ConnectionEnvironment;
  readonly #options: ConnectionOptions;
  readonly #socket: net.Socket;
  readonly #intake: FrameIntake;
  readonly #outbox: Outbox;
  readonly #pipeline: RequestPipeline;
  readonly #endingListeners = new Set<() => void>();
  #account: MemoryAccount;
  #state: ConnectionState;
  #lastActivityMs: number;
  /** The name that the client asked for in its TLS hello. */
  #serverName: string | undefined;
  tenant: TenantView;
  meters: TenantMeters;
  lookedInVainMs = Number.NEGATIVE_INFINITY;
  gaveUpOn: ClientSession["gaveUpOn"];
  readonly sasl: SaslSession;

  constructor(accepted: net.Socket | TLSSocket, environment: ConnectionEnvironment, options: ConnectionOptions) {
    const { services, limits } = environment;
    const { identity } = options;
    const nowMs = services.clock.monotonicMs();
    this.#environment = environment;
    this.#options = options;
    this.#lastActivityMs = nowMs;
    this.#state = identity === undefined ? acceptSecured(nowMs, environment.rules) : acceptPlaintext(identity);
    this.tenant = new TenantView(identity?.lkc, services, options.routed);
    this.meters = new TenantMeters(identity === undefined ? noMetrics : services.metrics, identity?.lkc ?? "");
    const assembler = new FrameAssembler(identity ? limits.requestBytesMax : limits.strangerFrameBytesMax);
    this.#account =
      identity === undefined
        ? environment.strangerMemory.open(options.remoteAddress)
        : environment.memory.open(identity.lkc);
    this.#intake = new FrameIntake(assembler, this.#account, services.clock);
    this.#pipeline = new RequestPipeline(this, services.clock);
    this.sasl = new SaslSession({
      step: (event) => this.#step(event),
      authenticate: (token) => this.#authenticate(token),
      mechanisms: environment.rules.mechanisms,
      clock: services.clock,
      timers: services.timers,
      onRefused: options.onRefused,
    });
    const events = {
      onRead: (frames: readonly Buffer[]) => this.#onRead(frames),
      onMalformed: (error: unknown) => this.#onMalformed(error),
    };
    const secured = accepted instanceof TLSSocket;
    if (secured) readTlsSocket(accepted, assembler, events);
    this.#socket = secured ? accepted : readPlainSocket(accepted, assembler, events);
    this.#outbox = new Outbox(this.#socket, {
      flusher: environment.flusher,
      clock: services.clock,
      writeBytesMax: limits.unsentBytesMax,
      onSent: (bytes) => this.#onSent(bytes),
    });
    this.#listen(accepted);
  }

  get listener(): string {
    return this.#options.listener;
  }

  get clientHost(): string {
    return `/${this.#options.remoteAddress}`;
  }

  get stranger(): boolean {
    return isStranger(this.#state);
  }

  get account(): MemoryAccount {
    return this.#account;
  }

  /** Since when memory is held that the peer could give free: an incomplete request, answers not taken. */
  get slowSinceMs(): number | undefined {
    const { frameSinceMs } = this.#intake;
    const { stuckSinceMs } = this.#outbox;
    if (frameSinceMs === undefined || stuckSinceMs === undefined) return frameSinceMs ?? stuckSinceMs;
    return Math.min(frameSinceMs, stuckSinceMs);
  }

  responseBytesAllowed(): number {
    return this.#account.freeBytes;
  }

  whenEnding(run: () => void): Withdraw {
    this.#endingListeners.add(run);
    const { kind } = this.#state;
    if (kind === "draining" || kind === "closed") queueMicrotask(() => this.#callEnding());
    return () => this.#endingListeners.delete(run);
  }

  /** What is in flight may finish until the deadline; then the connection closes. */
  drain(cause: CloseCause, deadlineMs: number): void {
    this.#step({ kind: "drain", cause, deadlineMs });
    this.#callEnding();
    this.#settleIfQuiet();
  }

  /** Looks at the deadlines. */
  tick(nowMs: number): void {
    const { inFlight } = this.#pipeline;
    const { stuckSinceMs } = this.#outbox;
    const lastActivityMs = this.#lastActivityMs;
    const credentialValid = this.#credentialValid();
    this.#step({ kind: "tick", nowMs, inFlight, lastActivityMs, credentialValid, stuckSinceMs });
  }

  fail(cause: CloseCause): void {
    this.#step({ kind: "failed", cause });
  }

  open(frame: Buffer): Startable | undefined {
    if (expectsBareToken(this.#state)) return { kind: "bare-token", serve: () => this.#serveBareToken(frame) };
    let opened: Opened;
    try {
      opened = openRequest(this.#environment.registry, frame);
    } catch (error) {
      this.#onMalformed(error);
      return undefined;
    }
    if (opened.kind !== "unsupported") return opened;
    const { apiKey, version } = opened;
    this.#warn("request-not-served", { apiKey, version });
    this.fail("unsupported-request");
    return undefined;
  }

  mayServe(apiKey: number): boolean {
    const credentialValid = this.#credentialValid();
    const nowMs = this.#environment.services.clock.monotonicMs();
    return this.#step({ kind: "request", apiKey, nowMs, credentialValid }).some(({ kind }) => kind === "serve");
  }

  #credentialValid(): boolean {
    const state = this.#state;
    const identity = state.kind === "serving" || state.kind === "draining" ? state.identity : undefined;
    return identity === undefined || this.#environment.credentials.isValid(identity);
  }

  serve({ entry, request }: Opened & { readonly kind: "request" }): Served {
    return entry.serve(this.#environment.services, this, request);
  }

  send(chunks: readonly Buffer[]): void {
    const bytes = this.#outbox.send(chunks);
    this.#account.take(bytes);
    if (this.#outbox.unsentBytes > this.#environment.limits.unsentBytesMax) {
      this.#pipeline.paused = true;
      this.#intake.hold("unsent");
    }
  }

  onEnded(): void {
    this.#lastActivityMs = this.#environment.services.clock.monotonicMs();
    this.#updateInFlightHold();
    this.#settleIfQuiet();
  }

  onFailed(error: unknown): void {
    if (error instanceof MalformedMessageError) return this.#onMalformed(error);
    this.#environment.reports.error("request-failed", { listener: this.listener, error });
    this.fail("internal-error");
  }

  onUnanswerable(): void {
    this.fail("acks-zero-failed");
  }

  /** A client that asked for one logical cluster by name must hold a key to that one: name and key have to agree. */
  async #authenticate(token: Buffer): Promise<ClientIdentity | undefined> {
    const identity = await this.#environment.credentials.authenticatePlain(token);
    const { routed } = this.#options;
    if (identity === undefined || routed === undefined || this.#serverName === undefined) return identity;
    const named = parseHostName(this.#serverName, routed.domain);
    return named === undefined || named.lkc === identity.lkc ? identity : undefined;
  }

  async #serveBareToken(token: Buffer): Promise<Reply> {
    const { error } = await this.sasl.authenticate(token);
    // A client that sends bare tokens can read no error: the connection closes.
    return error === "NONE" ? bareTokenAnswer : new Unanswered(true);
  }

  #listen(accepted: net.Socket | TLSSocket): void {
    const socket = this.#socket;
    socket.on("error", (error) => this.#onSocketError(error));
    socket.on("close", () => this.#onClosed());
    socket.on("end", () => this.#onPeerEnded());
    if (!(accepted instanceof TLSSocket)) {
      this.#intake.start(socket);
      return;
    }
    accepted.once("secure", () => {
      this.#serverName = typeof accepted.servername === "string" ? accepted.servername : undefined;
      this.#step({ kind: "tls-secured" });
      this.#intake.start(socket);
    });
  }

  #onRead(frames: readonly Buffer[]): void {
    if (this.#state.kind === "closed") return;
    this.#lastActivityMs = this.#environment.services.clock.monotonicMs();
    this.#pipeline.add(this.#intake.count(frames));
    this.#updateInFlightHold();
  }

  #updateInFlightHold(): void {
    if (this.#pipeline.inFlight >= this.#environment.limits.inFlightRequestsMax) this.#intake.hold("in-flight");
    else this.#intake.letGo("in-flight");
  }

  #onSent(bytes: number): void {
    this.#account.release(bytes);
    if (this.#state.kind === "closed") return;
    if (this.#outbox.unsentBytes <= this.#environment.limits.unsentBytesMax) {
      this.#intake.letGo("unsent");
      this.#pipeline.paused = false;
    }
    this.#settleIfQuiet();
  }

  #onMalformed(error: unknown): void {
    const malformed = error instanceof MalformedMessageError;
    if (malformed) this.#warn("message-malformed", { code: error.code, path: error.path, detail: error.message });
    else this.#environment.reports.error("frame-failed", { listener: this.listener, error });
    this.#environment.services.metrics.counter("protocolErrors", { listener: this.listener }).add(1);
    this.fail(malformed ? "malformed" : "internal-error");
  }

  #onSocketError(error: Error): void {
    this.#log("connection-error", { error: error.message });
    this.fail(this.#state.kind === "securing" ? "tls-failed" : "socket-error");
  }

  /** The peer sends nothing more, but may still want its answers (a producer that ends after its last batch). */
  #onPeerEnded(): void {
    const deadlineMs = this.#environment.services.clock.monotonicMs() + this.#environment.limits.lingerMs;
    this.drain("peer-closed", deadlineMs);
  }

  #settleIfQuiet(): void {
    const { kind } = this.#state;
    if (kind !== "draining" && kind !== "refusing") return;
    if (this.#pipeline.inFlight === 0 && this.#outbox.unsentBytes === 0) this.#step({ kind: "settled" });
  }

  /** Steps the state machine, carries out what concerns the connection, and returns all effects. */
  #step(event: ConnectionEvent): readonly ConnectionEffect[] {
    const { state, effects } = step(this.#state, event, this.#environment.rules);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    return effects;
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case "bind":
        return this.#bind(effect.identity);
      case "stop-reading":
        return this.#intake.hold("ending");
      case "close":
        return this.#close(effect.cause);
      case "destroy":
        return this.#destroy(effect.cause);
      case "serve":
      case "accept-mechanism":
      case "refuse-mechanism":
      case "verify-token":
      case "refuse-token":
      case "refuse-secret":
        // Whoever raised the event acts upon these.
        return;
    }
  }

  #bind(identity: ClientIdentity): void {
    const { services, limits, memory } = this.#environment;
    if (this.tenant.lkc === identity.lkc) return;
    this.tenant = new TenantView(identity.lkc, services, this.#options.routed);
    this.meters = new TenantMeters(services.metrics, identity.lkc);
    this.#account.release(this.#outbox.unsentBytes);
    this.#account.close();
    this.#account = memory.open(identity.lkc);
    this.#account.take(this.#outbox.unsentBytes);
    this.#intake.raise(limits.requestBytesMax, this.#account);
    this.#log("client-authenticated", { lkc: identity.lkc, keyId: identity.keyId, serverName: this.#serverName });
    this.#options.onAuthenticated();
  }

  /** Sends what is ready, then closes; a peer that does not read is cut off. */
  #close(cause: CloseCause): void {
    const { services, limits } = this.#environment;
    this.#release(cause);
    const cancel = services.timers.after(limits.lingerMs, () => this.#socket.destroy());
    this.#socket.once("close", cancel);
    this.#outbox.whenDrained(() => this.#socket.destroySoon());
  }

  #destroy(cause: CloseCause): void {
    this.#release(cause);
    this.#outbox.close();
    this.#socket.destroy();
  }

  #release(cause: CloseCause): void {
    this.#intake.hold("ending");
    this.#intake.close();
    this.#pipeline.close();
    this.#callEnding();
    if (!usualCauses.has(cause)) this.#warn("connection-cut", { cause });
    else this.#log("connection-ended", { cause });
  }

  #callEnding(): void {
    const listeners = [...this.#endingListeners];
    this.#endingListeners.clear();
    for (const ending of listeners) ending();
  }

  #onClosed(): void {
    // A handshake that fails ends the socket without an error.
    this.fail(this.#state.kind === "securing" ? "tls-failed" : "peer-closed");
    this.#outbox.close();
    this.#account.close();
    this.#options.onClosed(this.#state.kind === "closed" ? this.#state.cause : "peer-closed");
  }

  #warn(event: string, fields: Readonly<Record<string, unknown>>): void {
    const { remoteAddress, listener } = this.#options;
    this.#environment.reports.warn(event, { listener, remoteAddress, ...fields });
  }

  #log(event: string, fields: Readonly<Record<string, unknown>>): void {
    const { remoteAddress, listener } = this.#options;
    this.#environment.services.logger.debug(event, { listener, remoteAddress, ...fields });
  }
}
