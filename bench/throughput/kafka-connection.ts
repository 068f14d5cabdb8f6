/** One pipelined connection that speaks the Kafka protocol with Balafon's own codecs: what a bench needs, no more. */
import { once } from "node:events";
import net from "node:net";
import type { Api } from "../../shared/kafka/codec/fields.ts";
import { decodeResponse, encodeRequest } from "../../shared/kafka/codec/message-codec.ts";
import { FrameAssembler } from "../../shared/kafka/frame.ts";

const responseBytesMax = 64 * 1024 * 1024;

export class KafkaConnection {
  readonly #socket: net.Socket;
  readonly #assembler = new FrameAssembler(responseBytesMax);
  /** Answers come in the order of the requests. */
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #correlationId = 0;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const frame of this.#assembler.push(chunk)) this.#waiting.shift()?.(frame);
    });
  }

  static async open(address: string): Promise<KafkaConnection> {
    const [host, port] = address.split(":");
    const socket = net.connect({ host: host ?? "", port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new KafkaConnection(socket);
  }

  async call<Body>(api: Api, version: number, request: object): Promise<Body> {
    const header = { correlationId: this.#correlationId++, clientId: "bench" };
    this.#socket.cork();
    for (const chunk of encodeRequest(api, version, header, request as never)) this.#socket.write(chunk);
    this.#socket.uncork();
    const frame = await new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    return decodeResponse(api, version, frame).body as Body;
  }

  close(): void {
    this.#socket.destroy();
  }
}
