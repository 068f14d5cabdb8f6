import { randomBytes } from "node:crypto";
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { FrameAssembler } from "../kafka/frame.ts";
import { moveToOwnedReads, onreadOption } from "./owned-reads.ts";
import {
  acceptHandshake,
  cellSecretBytesMin,
  type Handshake,
  type HandshakeIdentity,
  type HandshakeRefusal,
  handshakeFrameBytesMax,
  handshakeNonceBytes,
  initiateHandshake,
} from "./peer-handshake-core.ts";
import type { PeerAddress, PeerConnection, PeerListener, PeerTransport } from "./peer-transport.ts";

/** Longest message, in bytes. Twice the largest batch of pushed appends, so that no sender needs to cut finely. */
export const peerMessageBytesMax = 16 * 1024 * 1024;
/** From the first packet to the end of the handshake; a stranger holds a connection no longer. */
export const peerHandshakeMsMax = 5_000;
/** Accepted connections that have not proved the secret yet; more are closed at once. */
export const peerUnauthenticatedMax = 64;
/**
 * Bytes that wait for the operating system on one connection; beyond it the peer is given up. The windows of the
 * layers above stay far below: this only bounds memory when they fail.
 */
export const peerUnsentBytesMax = 256 * 1024 * 1024;
/** A message up to this size leaves as one buffer: a copy is cheaper than the bookkeeping of several. */
const gatherBytesMax = 1024;
/** The operating system probes a peer that says nothing; silence that matters is found by heartbeats long before. */
const keepAliveMs = 10_000;
/** After `close` what was sent has this long to leave. */
const closeMsMax = 1_000;
const lengthBytes = 4;
/** Where bytes of a connection that is being closed go. */
const discarded = Buffer.alloc(4096);

export interface TcpPeerTransportOptions {
  readonly brokerId: number;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The cell's secrets as they are now; asked at every handshake. */
  readonly secrets: () => HandshakeIdentity["secrets"];
  /** Hears of every connection that was closed before it was authenticated. Strangers can make it ring: bound the log. */
  readonly onRefused: (refusal: PeerRefusal) => void;
  readonly handshakeMsMax?: number;
  readonly unauthenticatedMax?: number;
}

export interface PeerRefusal {
  readonly reason: HandshakeRefusal | "too-many-unauthenticated" | "handshake-timeout" | "closed-early" | "not-ready";
  readonly remoteAddress: string;
}

export interface TcpPeerTransport extends PeerTransport {
  /** Where it listens. */
  readonly port: number;
}

/**
 * PeerTransport over TCP: frames of a 4-byte length and a message, after the handshake of `peer-handshake-core.ts`.
 * The port is bound when this resolves; connections are taken from `listen` on.
 *
 * Errors: rejects with the system's error when the port cannot be had (`EADDRINUSE`, …).
 */
export async function openTcpPeerTransport(options: TcpPeerTransportOptions): Promise<TcpPeerTransport> {
  for (const secret of options.secrets()) {
    if (secret.length < cellSecretBytesMin)
      throw new Error(`the cell's secret has ${secret.length} bytes, at least ${cellSecretBytesMin} are needed`);
  }
  const server = createServer({
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return new SocketTransport(server, options);
}

class SocketTransport implements TcpPeerTransport {
  readonly port: number;
  readonly #server: Server;
  readonly #options: TcpPeerTransportOptions;
  readonly #links = new Set<Link>();
  #unauthenticated = 0;
  #accept: ((connection: PeerConnection) => PeerListener) | undefined;
  #closed = false;

  constructor(server: Server, options: TcpPeerTransportOptions) {
    this.#server = server;
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.#onConnection(socket));
    // Failures to accept (out of descriptors) leave the port open: the next attempt may succeed.
    server.on("error", () => undefined);
  }

  listen(accept: (connection: PeerConnection) => PeerListener): void {
    this.#accept = accept;
  }

  connect(address: PeerAddress, listener: PeerListener & { onOpen(): void }): PeerConnection {
    if (this.#closed) throw new Error("the transport was closed");
    const handshake = initiateHandshake(this.#identity(), address.brokerId);
    const link: Link = new Link(handshake, address.brokerId, {
      onOpen: () => {
        listener.onOpen();
        return listener;
      },
      onClose: (reason, wasOpen) => {
        this.#links.delete(link);
        // Before it opened nobody but the caller's listener knows of it.
        if (!wasOpen) listener.onClose(reason);
      },
    });
    this.#links.add(link);
    const { host, port } = address;
    const socket = connectSocket({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      onread: onreadOption(link),
    });
    link.attach(socket, this.#options.handshakeMsMax ?? peerHandshakeMsMax);
    socket.once("connect", () => link.sendHandshake(handshake.hello));
    return link;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const link of this.#links) link.close();
  }

  #onConnection(socket: Socket): void {
    const remoteAddress = `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
    const refuse = (reason: PeerRefusal["reason"]) => this.#options.onRefused({ reason, remoteAddress });
    const accept = this.#accept;
    if (
      accept === undefined ||
      this.#closed ||
      this.#unauthenticated >= (this.#options.unauthenticatedMax ?? peerUnauthenticatedMax)
    ) {
      socket.destroy();
      refuse(accept === undefined || this.#closed ? "not-ready" : "too-many-unauthenticated");
      return;
    }
    this.#unauthenticated++;
    const link: Link = new Link(acceptHandshake(this.#identity()), undefined, {
      onOpen: () => {
        this.#unauthenticated--;
        return accept(link);
      },
      onClose: (_reason, wasOpen, refusal) => {
        this.#links.delete(link);
        if (wasOpen) return;
        this.#unauthenticated--;
        refuse(refusal ?? "closed-early");
      },
    });
    this.#links.add(link);
    const moved = moveToOwnedReads(socket, link);
    if (moved === undefined) socket.on("data", (chunk: Buffer) => link.take(chunk));
    link.attach(moved ?? socket, this.#options.handshakeMsMax ?? peerHandshakeMsMax);
  }

  #identity() {
    const { brokerId, secrets } = this.#options;
    return { ownId: brokerId, secrets: secrets(), nonce: randomBytes(handshakeNonceBytes) };
  }
}

interface LinkEvents {
  /** The handshake is done; returns who hears the messages. */
  onOpen(): PeerListener;
  /** The socket is gone. */
  onClose(reason: string, wasOpen: boolean, refusal: PeerRefusal["reason"] | undefined): void;
}

/** One socket: handshake, then messages. */
class Link implements PeerConnection {
  /** The whole limit from the start: the first message may come in one read with the last frame of the handshake. */
  readonly #assembler = new FrameAssembler(peerMessageBytesMax);
  readonly #events: LinkEvents;
  #handshake: Handshake | undefined;
  #brokerId: number | undefined;
  #socket: Socket | undefined;
  #listener: PeerListener | undefined;
  /** Sent before the connection opened. */
  #early: Buffer[][] = [];
  #earlyBytes = 0;
  #corked = false;
  #handshakeTimer: NodeJS.Timeout | undefined;
  /** Why we closed it ourselves. */
  #reason: string | undefined;
  #refusal: PeerRefusal["reason"] | undefined;

  constructor(handshake: Handshake, brokerId: number | undefined, events: LinkEvents) {
    this.#handshake = handshake;
    this.#brokerId = brokerId;
    this.#events = events;
  }

  get brokerId(): number {
    if (this.#brokerId === undefined) throw new Error("the peer is not authenticated yet");
    return this.#brokerId;
  }

  get unsentBytes(): number {
    return this.#earlyBytes + (this.#socket?.writableLength ?? 0);
  }

  attach(socket: Socket, handshakeMsMax: number): void {
    this.#socket = socket;
    this.#handshakeTimer = setTimeout(() => this.#refuse("handshake-timeout"), handshakeMsMax);
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.once("close", () => {
      clearTimeout(this.#handshakeTimer);
      const wasOpen = this.#listener !== undefined;
      const reason = this.#reason ?? failure?.message ?? "the peer closed the connection";
      this.#reason = reason;
      this.#events.onClose(reason, wasOpen, this.#refusal);
      this.#listener?.onClose(reason);
    });
    // Nothing is read through the stream itself, but only a flowing stream tells of its end.
    socket.resume();
  }

  sendHandshake(frame: Buffer): void {
    this.#write([frame], frame.length);
  }

  send(chunks: readonly Buffer[]): void {
    if (this.#reason !== undefined) return;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (bytes > peerMessageBytesMax)
      throw new RangeError(`a message of ${bytes} bytes, at most ${peerMessageBytesMax} fit`);
    if (this.unsentBytes + bytes > peerUnsentBytesMax) {
      this.#abort(`the peer leaves more than ${peerUnsentBytesMax} bytes untaken`);
    } else if (this.#listener === undefined) {
      this.#early.push([...chunks]);
      this.#earlyBytes += bytes;
    } else {
      this.#write(chunks, bytes);
    }
  }

  close(): void {
    if (this.#reason !== undefined) return;
    const socket = this.#socket;
    this.#reason = "closed here";
    if (this.#listener === undefined) {
      socket?.destroy();
      return;
    }
    socket?.destroySoon();
    setTimeout(() => socket?.destroy(), closeMsMax).unref();
  }

  buffer(): Buffer {
    // Node asks for the next buffer even after a read that made us destroy the socket.
    return this.#reason === undefined ? this.#assembler.nextBuffer() : discarded;
  }

  callback(bytesRead: number): void {
    this.#receive(() => this.#assembler.commit(bytesRead));
  }

  /** Bytes that came in a buffer of the stream's. */
  take(chunk: Buffer): void {
    this.#receive(() => this.#assembler.push(chunk));
  }

  #receive(assemble: () => readonly Buffer[]): void {
    if (this.#reason !== undefined) return;
    let frames: readonly Buffer[];
    try {
      frames = assemble();
    } catch (error) {
      if (this.#handshake === undefined) this.#abort((error as Error).message);
      else this.#refuse("malformed");
      return;
    }
    for (const frame of frames) {
      // A listener may close the connection on any message.
      if (this.#reason !== undefined) return;
      if (this.#handshake !== undefined) this.#step(this.#handshake, frame);
      else this.#listener?.onMessage(frame);
    }
    // Checked before memory for the rest of the frame is asked of the assembler.
    if (this.#handshake !== undefined && this.#assembler.pendingFrameBytes > handshakeFrameBytesMax)
      this.#refuse("malformed");
  }

  #step(handshake: Handshake, frame: Buffer): void {
    const step = handshake.onFrame(frame);
    if (step.kind === "refused") {
      this.#refuse(step.reason);
      return;
    }
    if (step.reply !== undefined) this.sendHandshake(step.reply);
    if (step.kind === "reply") return;
    clearTimeout(this.#handshakeTimer);
    this.#handshake = undefined;
    this.#brokerId = step.peerId;
    this.#listener = this.#events.onOpen();
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const chunks of early) this.send(chunks);
  }

  #refuse(reason: PeerRefusal["reason"]): void {
    this.#refusal = reason;
    this.#abort(`the handshake failed: ${reason}`);
  }

  #abort(reason: string): void {
    this.#reason ??= reason;
    this.#socket?.destroy();
  }

  /** What one run of code sends leaves in one gathering write, without copying what is large. */
  #write(chunks: readonly Buffer[], bytes: number): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    const header = Buffer.allocUnsafe(bytes <= gatherBytesMax ? lengthBytes + bytes : lengthBytes);
    header.writeInt32BE(bytes, 0);
    if (bytes > gatherBytesMax) {
      socket.write(header);
      for (const chunk of chunks) socket.write(chunk);
      return;
    }
    let at = lengthBytes;
    for (const chunk of chunks) at += chunk.copy(header, at);
    socket.write(header);
  }
}
