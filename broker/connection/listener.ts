import { strict as assert } from "node:assert";
import net from "node:net";
import tls from "node:tls";
import type { RoutedNames } from "../../shared/broker-config/broker-config.ts";
import type { LogicalClusterId } from "../../shared/metadata/records/record.ts";
import type { NetworkList } from "../../shared/proxy-protocol/network-list.ts";

/** Private key and certificate chain, PEM. */
export interface TlsMaterial {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export interface ListenerConfig {
  /** As in the broker's registration: Metadata answers with the endpoints of the listener that the client came through. */
  readonly name: string;
  readonly host: string;
  /** 0: any free port (`Listener.port` tells). */
  readonly port: number;
  readonly security: ListenerSecurity;
}

export type ListenerSecurity =
  /** Without encryption or credentials: bound to one logical cluster, on loopback addresses only. */
  | { readonly kind: "plaintext"; readonly lkc: LogicalClusterId; readonly principal: string }
  | {
      readonly kind: "sasl-ssl";
      readonly tls: TlsMaterial;
      /** How clients name brokers through the routers before this listener: who names a cluster must hold a key to it. */
      readonly routed?: RoutedNames | undefined;
      /** Who sends PROXY headers, and must; undefined: clients connect by themselves. */
      readonly proxies?: NetworkList | undefined;
    };

const tlsVersionMin = "TLSv1.2";

/** Accepts connections on one port. */
export class Listener {
  readonly config: ListenerConfig;
  readonly #server: net.Server;
  #secureContext: tls.SecureContext | undefined;

  /** `accept` gets each connection, paused; behind TLS as a socket whose handshake has begun. */
  constructor(config: ListenerConfig, accept: (socket: net.Socket | tls.TLSSocket, listener: Listener) => void) {
    const { security } = config;
    assert(
      security.kind !== "plaintext" || isLoopback(config.host),
      "a plaintext listener must be on a loopback address",
    );
    this.config = config;
    if (security.kind === "sasl-ssl") this.setTls(security.tls);
    // Paused: not a byte is read before the connection is known to be within the limits.
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) =>
      accept(socket, this),
    );
  }

  /** The port that was given; 0 before `start`. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Wraps an accepted connection: the broker's side of the TLS handshake. */
  secure(socket: net.Socket): tls.TLSSocket | undefined {
    if (this.#secureContext === undefined) return undefined;
    const secured = new tls.TLSSocket(socket, { isServer: true, secureContext: this.#secureContext });
    secured.allowHalfOpen = true;
    // What fails below the encryption is told by the socket above it.
    socket.on("error", () => undefined);
    return secured;
  }

  /** New connections use this key and certificate; those that exist go on. Throws when the material is not valid. */
  setTls({ key, cert }: TlsMaterial): void {
    this.#secureContext = tls.createSecureContext({ key, cert, minVersion: tlsVersionMin });
  }

  /** Errors: the operating system's, with `code` and `port`, such as EADDRINUSE. */
  async start(backlog: number, onError: (error: Error) => void): Promise<void> {
    const { host, port } = this.config;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.removeListener("error", reject);
        this.#server.on("error", onError);
        resolve();
      });
    });
  }

  /** Accepts nothing more; connections that exist are not touched. */
  stop(): void {
    if (this.#server.listening) this.#server.close();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
