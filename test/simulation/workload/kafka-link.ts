import type { ConnectionEnd } from "../world/connection.ts";
import type { Network } from "../world/network.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { machineOfHost } from "../world/sim-transport.ts";
import { messageBytes, type Request, type Response } from "./kafka-messages.ts";
import type { Correlated } from "./kafka-server.ts";

interface Pending {
  readonly done: (response: Response) => void;
  readonly cancelTimeout: () => void;
}

/**
 * One client's connection to one broker: made when needed, dropped on an error or when a request gets no answer in time
 * (as Kafka's clients do), and then all its requests end as disconnected.
 */
export class KafkaLink {
  readonly #network: Network;
  readonly #process: SimProcess;
  readonly #address: { readonly host: string; readonly port: number };
  readonly #pending = new Map<number, Pending>();
  #end: ConnectionEnd | undefined;
  #nextId = 1;

  constructor(network: Network, process: SimProcess, address: { readonly host: string; readonly port: number }) {
    this.#network = network;
    this.#process = process;
    this.#address = address;
  }

  request(request: Request, timeoutMs: number, done: (response: Response) => void): void {
    const end = this.#end ?? this.#connect();
    const id = this.#nextId;
    this.#nextId += 1;
    const cancelTimeout = this.#process.timers.after(timeoutMs, () => {
      this.#answer(id, { kind: "error", error: "TIMEOUT" });
      this.#drop();
    });
    this.#pending.set(id, { done, cancelTimeout });
    const message: Correlated<Request> = { id, body: request };
    end.send(message, messageBytes(request));
  }

  #connect(): ConnectionEnd {
    const { host, port } = this.#address;
    const target = {
      address: `${host}:${port}`,
      machineId: machineOfHost(host),
      hello: { identity: this.#process.machineId, expected: 0 },
    };
    const end = this.#network.connect(this.#process, target, {
      onOpen: () => undefined,
      onMessage: (message) => {
        const { id, body } = message as Correlated<Response>;
        this.#answer(id, body);
      },
      onClose: () => {
        if (this.#end === end) this.#drop();
      },
    });
    this.#end = end;
    return end;
  }

  #answer(id: number, response: Response): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.cancelTimeout();
    pending.done(response);
  }

  #drop(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.close();
    // Requests that the callbacks make go out on a new connection.
    for (const id of [...this.#pending.keys()]) this.#answer(id, { kind: "error", error: "DISCONNECTED" });
  }
}
