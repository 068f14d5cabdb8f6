/** One pipelined connection that speaks the Kafka protocol with Balafon's own codecs: what a bench needs, no more. */
import { once } from "node:events";
import net from "node:net";
import type { Api } from "../shared/kafka/codec/fields.ts";
import { decodeResponse, encodeRequest } from "../shared/kafka/codec/message-codec.ts";
import { FrameAssembler } from "../shared/kafka/frame.ts";

const responseBytesMax = 64 * 1024 * 1024;

/** The connection is gone, and with it the answers that were waited for. */
export class ConnectionEndedError extends Error {
  override readonly name = "ConnectionEndedError";
  readonly code = "CONNECTION_ENDED";
}

interface Waiting {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class KafkaConnection {
  readonly #socket: net.Socket;
  readonly #assembler = new FrameAssembler(responseBytesMax);
  /** Answers come in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #correlationId = 0;
  #corked = false;
  #ended = false;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const frame of this.#assembler.push(chunk)) this.#waiting.shift()?.resolve(frame);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#end());
  }

  /** Rejects when nobody listens there, or does not accept in time. */
  static async open(address: string, timeoutMs = 10_000): Promise<KafkaConnection> {
    const [host, port] = address.split(":");
    const socket = net.connect({ host: host ?? "", port: Number(port), noDelay: true });
    const timer = setTimeout(() => socket.destroy(new ConnectionEndedError(`${address} does not accept`)), timeoutMs);
    try {
      await once(socket, "connect");
    } finally {
      clearTimeout(timer);
    }
    return new KafkaConnection(socket);
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /**
   * Rejects with a `ConnectionEndedError` when no answer will come. One that takes longer than `timeoutMs` costs the
   * connection, as it does official clients.
   */
  async call<Body>(api: Api, version: number, request: object, timeoutMs?: number): Promise<Body> {
    if (this.#ended) throw new ConnectionEndedError("the connection is closed");
    const header = { correlationId: this.#correlationId++, clientId: "bench" };
    this.#corkForTurn();
    for (const chunk of encodeRequest(api, version, header, request as never)) this.#socket.write(chunk);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.close(), timeoutMs);
    try {
      const frame = await new Promise<Buffer>((resolve, reject) => this.#waiting.push({ resolve, reject }));
      return decodeResponse(api, version, frame).body as Body;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  /** Requests made in one turn leave together. */
  #corkForTurn(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new ConnectionEndedError("the connection was closed"));
  }
}
