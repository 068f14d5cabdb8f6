import type { BrokerId, Endpoint } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { PeerConnection, PeerListener, PeerTransport } from "../../shared/ports/peer-transport.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import {
  heartbeatIntervalMs,
  lateTickMs,
  peerSilenceMs,
  redialMsMax,
  redialMsMin,
  silentConnectionCloseMs,
} from "./limits.ts";
import { type CallResult, PeerLink } from "./peer-link.ts";
import {
  type AckEntry,
  type AppendEntry,
  type AttachedMessage,
  type AttachMessage,
  decodeAcks,
  decodeAppend,
  decodeJson,
  decodeMetadataEntry,
  type HeartbeatMessage,
  type JsonMessage,
  MessageType,
  PeerProtocolError,
  type RefusedMessage,
} from "./peer-messages.ts";

/** What the rest of the broker does with what peers say. Calls come one at a time, in the order of each link. */
export interface PeerEvents {
  onLinkUp(link: PeerLink): void;
  onLinkDown(link: PeerLink, reason: string): void;
  /** A peer became silent, was heard again, or told of a change in whom it hears. */
  onLivenessChanged(): void;
  onAppend(link: PeerLink, entry: AppendEntry): void;
  onAck(link: PeerLink, entry: AckEntry): void;
  onAttach(link: PeerLink, message: AttachMessage): void;
  onAttached(link: PeerLink, message: AttachedMessage): void;
  onRefused(link: PeerLink, message: RefusedMessage): void;
  onMetadataEntry(seq: number, entry: Buffer): void;
  /** Answers a peer's call; a rejection is a bug. */
  onCall(from: BrokerId, method: string, body: unknown): Promise<unknown>;
}

export interface PeerLinksPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly transport: PeerTransport;
  readonly logger: Logger;
  /** See `pushWindowBytesMax` in limits.ts. */
  readonly windowBytesMax?: number | undefined;
}

interface Peer {
  endpoint: Endpoint;
  link: PeerLink | undefined;
  dialing: PeerConnection | undefined;
  cancelRedial: CancelTimer | undefined;
  redialMs: number;
  silent: boolean;
  /** Of links that are closed: what the open one counts comes on top. */
  pushedBytes: number;
  caughtUpBytes: number;
}

/**
 * One authenticated connection to every other broker of the cell, shared by all partitions; heartbeats on it tell who is
 * alive. The broker with the lower id dials.
 *
 *   (none) --dial--> dialing --open--> up --close--> (none), redial after a pause
 *   (none) --accept-----------------> up          a second connection replaces the first
 *   up: heard within peerSilenceMs = alive, else silent; silent for silentConnectionCloseMs: closed
 */
export class PeerLinks {
  readonly #self: BrokerId;
  readonly #ports: PeerLinksPorts;
  readonly #events: PeerEvents;
  readonly #peers = new Map<BrokerId, Peer>();
  #storeReachable: () => boolean = () => true;
  #lastTickMs: number;
  #draining = false;
  #stopped = false;
  #cancelTick: CancelTimer | undefined;

  constructor(self: BrokerId, ports: PeerLinksPorts, events: PeerEvents) {
    this.#self = self;
    this.#ports = ports;
    this.#events = events;
    this.#lastTickMs = ports.clock.monotonicMs();
  }

  /** Starts to accept peers and to send heartbeats. */
  start(storeReachable: () => boolean): void {
    this.#storeReachable = storeReachable;
    this.#ports.transport.listen((connection) => this.#accept(connection));
    this.#planTick();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
    for (const peer of this.#peers.values()) {
      peer.cancelRedial?.();
      peer.dialing?.close();
      peer.link?.close();
    }
    this.#ports.transport.close();
  }

  /** Tells every peer, at once and from here on, that this broker is about to stop. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#sendHeartbeats();
    this.#events.onLivenessChanged();
  }

  /** Who is registered in the cell, and where; called whenever the image changes. */
  setPeers(endpoints: ReadonlyMap<BrokerId, Endpoint>): void {
    for (const [id, endpoint] of endpoints) {
      if (id === this.#self) continue;
      const peer = this.#peers.get(id);
      if (peer === undefined) {
        this.#peers.set(id, newPeer(endpoint));
        this.#dial(id);
      } else if (peer.endpoint.host !== endpoint.host || peer.endpoint.port !== endpoint.port) {
        peer.endpoint = endpoint;
        peer.redialMs = redialMsMin;
        if (peer.link === undefined) this.#dial(id);
      }
    }
    for (const [id, peer] of this.#peers) {
      if (endpoints.has(id) || peer.endpoint.port === 0) continue;
      this.#peers.delete(id);
      peer.cancelRedial?.();
      peer.dialing?.close();
      peer.link?.close();
    }
  }

  /** The open link to a peer, alive or silent. */
  link(id: BrokerId): PeerLink | undefined {
    return this.#peers.get(id)?.link;
  }

  links(): readonly PeerLink[] {
    const links: PeerLink[] = [];
    for (const peer of this.#peers.values()) if (peer.link !== undefined) links.push(peer.link);
    return links;
  }

  /** Connected and not found silent. This broker itself is always alive. */
  isAlive(id: BrokerId): boolean {
    if (id === this.#self) return true;
    const peer = this.#peers.get(id);
    return peer?.link !== undefined && !peer.silent;
  }

  /** Alive, as far as is known here, and about to stop. */
  isDraining(id: BrokerId): boolean {
    return id === this.#self ? this.#draining : (this.link(id)?.peerDraining ?? false);
  }

  /** Milliseconds since the peer was last heard; infinite without a link. Judges nobody: this process may have slept. */
  unheardMs(id: BrokerId): number {
    const link = this.#peers.get(id)?.link;
    return link === undefined ? Number.POSITIVE_INFINITY : this.#ports.clock.monotonicMs() - link.lastHeardMs;
  }

  /** Ids of all brokers that are alive, this one included. */
  alive(): readonly BrokerId[] {
    return [this.#self, ...[...this.#peers.keys()].filter((id) => this.isAlive(id))].sort((a, b) => a - b);
  }

  /** Append bytes pushed to a peer since this process started, and those of them that were read back from the log. */
  pushed(id: BrokerId): { readonly bytes: number; readonly caughtUpBytes: number } {
    const peer = this.#peers.get(id);
    return {
      bytes: (peer?.pushedBytes ?? 0) + (peer?.link?.pushedBytes ?? 0),
      caughtUpBytes: (peer?.caughtUpBytes ?? 0) + (peer?.link?.caughtUpBytes ?? 0),
    };
  }

  call(id: BrokerId, method: string, body: unknown, timeoutMs: number): Promise<CallResult> {
    const link = this.link(id);
    if (link === undefined) return Promise.resolve({ kind: "unreachable", reason: "no link" });
    return link.call(method, body, timeoutMs);
  }

  #accept(connection: PeerConnection): PeerListener {
    const id = connection.brokerId;
    const known = this.#peers.get(id);
    // A peer may connect before its registration was read from the log; its endpoint follows with `setPeers`.
    const peer = known ?? newPeer({ host: "", port: 0 });
    if (known === undefined) this.#peers.set(id, peer);
    return this.#open(peer, connection);
  }

  #dial(id: BrokerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || this.#stopped || id < this.#self || peer.link !== undefined || peer.dialing !== undefined)
      return;
    peer.cancelRedial?.();
    peer.cancelRedial = undefined;
    let opened: PeerListener | undefined;
    const connection = this.#ports.transport.connect(
      { brokerId: id, host: peer.endpoint.host, port: peer.endpoint.port },
      {
        onOpen: () => {
          peer.dialing = undefined;
          peer.redialMs = redialMsMin;
          opened = this.#open(peer, connection);
        },
        onMessage: (message) => opened?.onMessage(message),
        onClose: (reason) => {
          if (peer.dialing === connection) peer.dialing = undefined;
          opened?.onClose(reason);
          this.#redialLater(id);
        },
      },
    );
    peer.dialing = connection;
  }

  #redialLater(id: BrokerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || this.#stopped || peer.link !== undefined || peer.cancelRedial !== undefined) return;
    const waitMs = peer.redialMs * (0.75 + 0.5 * this.#ports.random.fraction());
    peer.redialMs = Math.min(peer.redialMs * 2, redialMsMax);
    peer.cancelRedial = this.#ports.timers.after(waitMs, () => {
      peer.cancelRedial = undefined;
      this.#dial(id);
    });
  }

  #open(peer: Peer, connection: PeerConnection): PeerListener {
    const link = new PeerLink(connection, this.#ports);
    const previous = peer.link;
    peer.link = link;
    if (previous !== undefined) {
      previous.close();
      this.#down(previous, "replaced by a newer connection");
    }
    peer.silent = false;
    this.#ports.logger.info("peer-up", { peer: link.brokerId });
    this.#sendHeartbeats();
    this.#events.onLinkUp(link);
    this.#events.onLivenessChanged();
    return {
      onMessage: (message) => this.#receive(peer, link, message),
      onClose: (reason) => {
        if (peer.link !== link) return;
        peer.link = undefined;
        this.#down(link, reason);
      },
    };
  }

  #down(link: PeerLink, reason: string): void {
    if (link.closed) return;
    link.onClosed(reason);
    const peer = this.#peers.get(link.brokerId);
    if (peer !== undefined) {
      peer.pushedBytes += link.pushedBytes;
      peer.caughtUpBytes += link.caughtUpBytes;
    }
    this.#ports.logger.info("peer-down", { peer: link.brokerId, reason });
    // The others learn at once whom this broker no longer hears: that is what a failover waits for.
    this.#sendHeartbeats();
    this.#events.onLinkDown(link, reason);
    this.#events.onLivenessChanged();
  }

  #receive(peer: Peer, link: PeerLink, message: Buffer): void {
    if (link.closed) return;
    link.lastHeardMs = this.#ports.clock.monotonicMs();
    try {
      this.#dispatch(link, message);
    } catch (error) {
      if (!(error instanceof PeerProtocolError)) throw error;
      this.#ports.logger.error("peer-protocol-error", { peer: link.brokerId, reason: error.message });
      link.close();
      return;
    }
    if (peer.silent) {
      peer.silent = false;
      this.#ports.logger.info("peer-heard-again", { peer: link.brokerId });
      this.#events.onLivenessChanged();
    }
  }

  #dispatch(link: PeerLink, message: Buffer): void {
    switch (message[0]) {
      case MessageType.append:
        for (const entry of decodeAppend(message)) this.#events.onAppend(link, entry);
        return;
      case MessageType.ack:
        for (const entry of decodeAcks(message)) this.#events.onAck(link, entry);
        return;
      case MessageType.metadataEntry: {
        const { seq, entry } = decodeMetadataEntry(message);
        this.#events.onMetadataEntry(seq, entry);
        return;
      }
      case MessageType.json:
        this.#dispatchJson(link, decodeJson(message));
        return;
      default:
        throw new PeerProtocolError(`message of unknown type ${message[0]}`);
    }
  }

  #dispatchJson(link: PeerLink, message: JsonMessage): void {
    switch (message.kind) {
      case "attach":
        this.#events.onAttach(link, message);
        return;
      case "attached":
        this.#events.onAttached(link, message);
        return;
      case "refused":
        this.#events.onRefused(link, message);
        return;
      case "heartbeat":
        this.#onHeartbeat(link, message);
        return;
      case "call":
        this.#events.onCall(link.brokerId, message.method, message.body).then(
          (body) => link.send({ kind: "answer", id: message.id, body }),
          // What one peer asks must not end this broker; it gets no answer.
          (error: unknown) =>
            this.#ports.logger.error("peer-call-failed", { peer: link.brokerId, method: message.method, error }),
        );
        return;
      case "answer":
        link.answered(message.id, message.body);
        return;
    }
  }

  #onHeartbeat(link: PeerLink, message: HeartbeatMessage): void {
    link.peerSentMs = message.sentMs;
    if (message.echoMs !== null && message.echoMs > link.echoedMs) link.echoedMs = message.echoMs;
    const hears = new Set(message.hears);
    const changed = hears.size !== link.peerHears.size || message.hears.some((id) => !link.peerHears.has(id));
    const storeChanged = link.peerStoreReachable !== message.storeReachable;
    const drainChanged = link.peerDraining !== message.draining;
    link.peerHears = hears;
    link.peerStoreReachable = message.storeReachable;
    link.peerDraining = message.draining;
    if (changed || storeChanged || drainChanged) this.#events.onLivenessChanged();
  }

  #planTick(): void {
    this.#cancelTick = this.#ports.timers.after(heartbeatIntervalMs, () => {
      if (this.#stopped) return;
      const nowMs = this.#ports.clock.monotonicMs();
      const late = nowMs - this.#lastTickMs > heartbeatIntervalMs + lateTickMs;
      this.#lastTickMs = nowMs;
      // After a stop of this process (SIGSTOP, a sleeping laptop) what peers sent meanwhile is still unread.
      if (!late) this.#judge(nowMs);
      this.#sendHeartbeats();
      this.#planTick();
    });
  }

  #judge(nowMs: number): void {
    for (const [id, peer] of this.#peers) {
      const link = peer.link;
      if (link === undefined) {
        if (peer.dialing === undefined && peer.cancelRedial === undefined) this.#dial(id);
        continue;
      }
      const silentMs = nowMs - link.lastHeardMs;
      if (silentMs > silentConnectionCloseMs) {
        link.close();
        peer.link = undefined;
        this.#down(link, "silent for too long");
        this.#redialLater(id);
      } else if (silentMs > peerSilenceMs && !peer.silent) {
        peer.silent = true;
        this.#ports.logger.warn("peer-silent", { peer: id, silentMs: Math.round(silentMs) });
        this.#sendHeartbeats();
        this.#events.onLivenessChanged();
      }
    }
  }

  #sendHeartbeats(): void {
    const kind = "heartbeat";
    const hears = this.alive();
    const storeReachable = this.#storeReachable();
    const sentMs = this.#ports.clock.monotonicMs();
    const draining = this.#draining;
    for (const link of this.links())
      link.send({ kind, hears, storeReachable, draining, sentMs, echoMs: link.peerSentMs });
  }
}

function newPeer(endpoint: Endpoint): Peer {
  return {
    endpoint,
    link: undefined,
    dialing: undefined,
    cancelRedial: undefined,
    redialMs: redialMsMin,
    silent: false,
    pushedBytes: 0,
    caughtUpBytes: 0,
  };
}
