import net from "node:net";
import tls from "node:tls";
import type { Api, RequestInputOf, ResponseOf } from "../../../../shared/kafka/codec/fields.ts";
import { decodeResponse, encodeRequest } from "../../../../shared/kafka/codec/message-codec.ts";
import { FrameAssembler } from "../../../../shared/kafka/frame.ts";
import { saslAuthenticate } from "../../../../shared/kafka/schema/sasl-authenticate.ts";
import { saslHandshake } from "../../../../shared/kafka/schema/sasl-handshake.ts";

/** A Kafka client of the simplest kind, on a real socket. */
export class WireClient {
  readonly socket: net.Socket;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #correlationId = 0;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const assembler = new FrameAssembler(100_000_000);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of assembler.push(chunk)) this.#waiting.shift()?.(frame);
      } catch {
        // A TLS alert, in answer to what was no TLS.
        socket.destroy();
      }
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  /** On a socket that is connected already. */
  static over(socket: net.Socket): WireClient {
    return new WireClient(socket);
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = net.connect({ port, host: "127.0.0.1" });
    const client = new WireClient(socket);
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    return client;
  }

  static async connectTls(port: number, ca: string, serverName = "localhost"): Promise<WireClient> {
    const socket = tls.connect({ port, host: "127.0.0.1", ca, servername: serverName });
    const client = new WireClient(socket);
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    return client;
  }

  call<A extends Api>(api: A, version: number, request: RequestInputOf<A>): Promise<ResponseOf<A>> {
    const answer = new Promise<ResponseOf<A>>((resolve) => {
      this.#waiting.push((frame) => resolve(decodeResponse(api, version, frame).body));
    });
    this.send(api, version, request);
    return answer;
  }

  /** Sends a request and waits for no answer. */
  send<A extends Api>(api: A, version: number, request: RequestInputOf<A>): void {
    this.#correlationId += 1;
    const header = { correlationId: this.#correlationId, clientId: "wire" };
    this.socket.write(Buffer.concat(encodeRequest(api, version, header, request)));
  }

  /** The payload of the next frame that comes. */
  nextFrame(): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async authenticate(user: string, password: string) {
    await this.call(saslHandshake, 1, { mechanism: "PLAIN" });
    return this.call(saslAuthenticate, 2, { authBytes: Buffer.from(`\0${user}\0${password}`) });
  }

  close(): void {
    this.socket.destroy();
  }
}
