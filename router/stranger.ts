import type { Socket } from "node:net";
import { type ProxiedConnection, readProxyHeader, type SocketEndpoint } from "../shared/proxy-protocol/proxy-header.ts";
import { ClientHelloReader, type HelloRefusal } from "./client-hello-core.ts";
import { clientHelloMs } from "./limits.ts";
import type { Side } from "./side.ts";
import type { TlsAlert } from "./tls-alert.ts";

export type StrangerRefusal = HelloRefusal | "no-proxy-header" | "too-slow" | "gone";

export interface StrangerEvents {
  /** It is known who connects; true: go on. Comes before any byte of the client is looked at. */
  onIdentified(connection: ProxiedConnection): boolean;
  /** The socket is paused; `hello` is all that the client sent so far. */
  onNamed(name: string, hello: readonly Buffer[]): void;
  onRefused(reason: StrangerRefusal, alert: TlsAlert | undefined): void;
  /** The balancer looks whether this listener takes connections. */
  onProbe(): void;
}

/**
 * A connection from its accept to the name in its ClientHello.
 *
 *   accepted ──(behind a balancer: PROXY header)──▶ identified ──ClientHello──▶ named
 *        └────────────── malformed, too slow, gone ──────────────┴──▶ refused
 */
export class Stranger {
  readonly #side: Side;
  readonly #events: StrangerEvents;
  readonly #reader = new ClientHelloReader();
  readonly #hello: Buffer[] = [];
  /** Bytes before the end of the PROXY header; undefined when it has been read or none is expected. */
  #header: Buffer | undefined;
  /** Behind a LOCAL header: whose connection it is counts only once it says something. */
  #isLocal = false;
  #done = false;
  readonly #timer: NodeJS.Timeout;

  constructor(side: Side, options: { readonly expectsHeader: boolean; readonly events: StrangerEvents }) {
    this.#side = side;
    this.#events = options.events;
    this.#timer = setTimeout(() => this.#refuse("too-slow"), clientHelloMs);
    if (options.expectsHeader) this.#header = Buffer.alloc(0);
    else if (!this.#identify(socketConnection(side.socket))) return;
    side.receive = (bytes) => {
      // Small, and needed until the broker is connected: a copy, for the memory it came in is used again.
      if (!this.#done) this.#onData(Buffer.from(bytes));
      return "done";
    };
    side.socket.on("end", this.#onEnd).on("close", this.#onClose).resume();
  }

  /** Ends its part: the socket belongs to somebody else, or is closing. */
  release(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#side.socket.off("end", this.#onEnd).off("close", this.#onClose);
  }

  #onData(chunk: Buffer): void {
    const rest = this.#header === undefined ? chunk : this.#takeHeader(chunk);
    if (rest === undefined || rest.length === 0) return;
    if (this.#isLocal && this.#hello.length === 0 && !this.#identify(socketConnection(this.#side.socket))) return;
    this.#hello.push(rest);
    const outcome = this.#reader.push(rest);
    if (outcome.kind === "more") return;
    if (outcome.kind === "refused") return this.#refuse(outcome.reason, outcome.alert);
    this.#side.socket.pause();
    this.release();
    this.#events.onNamed(outcome.name, this.#hello);
  }

  readonly #onEnd = (): void => {
    if (this.#isLocal && this.#hello.length === 0) {
      this.release();
      this.#events.onProbe();
    } else {
      this.#refuse("gone");
    }
  };

  readonly #onClose = (): void => this.#refuse("gone");

  /** Returns what follows the header; undefined when there is nothing to go on with. */
  #takeHeader(chunk: Buffer): Buffer | undefined {
    const bytes = Buffer.concat([this.#header ?? Buffer.alloc(0), chunk]);
    const header = readProxyHeader(bytes);
    if (header.kind === "malformed") {
      this.#refuse("no-proxy-header");
      return undefined;
    }
    this.#header = header.kind === "more" ? bytes : undefined;
    if (header.kind === "more") return undefined;
    this.#isLocal = header.kind === "local";
    if (header.kind === "proxied" && !this.#identify(header.connection)) return undefined;
    return bytes.subarray(header.bytes);
  }

  #identify(connection: ProxiedConnection): boolean {
    const admitted = this.#events.onIdentified(connection);
    if (!admitted) this.release();
    return admitted;
  }

  #refuse(reason: StrangerRefusal, alert?: TlsAlert): void {
    if (this.#done) return;
    this.release();
    this.#events.onRefused(reason, alert);
  }
}

function socketConnection(socket: Socket): ProxiedConnection {
  const endpoint = (address = "0.0.0.0", port = 0): SocketEndpoint => ({ address, port });
  return {
    source: endpoint(socket.remoteAddress, socket.remotePort),
    destination: endpoint(socket.localAddress, socket.localPort),
  };
}
