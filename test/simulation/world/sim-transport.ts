import type { PeerAddress, PeerConnection, PeerListener, PeerTransport } from "../../../shared/ports/peer-transport.ts";
import type { ConnectionEnd, EndListener } from "./connection.ts";
import type { Listening, Network } from "./network.ts";
import type { SimProcess } from "./sim-process.ts";

/** `machine-3`: where the processes of machine 3 listen. */
export function machineHost(machineId: number): string {
  return `machine-${machineId}`;
}

/** The machine that a host name means. */
export function machineOfHost(host: string): number {
  const machineId = Number(host.slice("machine-".length));
  if (!Number.isInteger(machineId)) throw new Error(`no machine is called ${host}`);
  return machineId;
}

/** The PeerTransport of one process over the simulated network. */
export class SimTransport implements PeerTransport {
  readonly #network: Network;
  readonly #process: SimProcess;
  readonly #brokerId: number;
  readonly #address: string;
  readonly #ends = new Set<ConnectionEnd>();
  #listening: Listening | undefined;
  #isClosed = false;

  constructor(network: Network, process: SimProcess, own: { readonly brokerId: number; readonly port: number }) {
    this.#network = network;
    this.#process = process;
    this.#brokerId = own.brokerId;
    this.#address = `${machineHost(process.machineId)}:${own.port}`;
  }

  listen(accept: (connection: PeerConnection) => PeerListener): void {
    const listening: Listening = {
      process: this.#process,
      accept: (end, hello) => {
        if (this.#isClosed || hello.expected !== this.#brokerId) return undefined;
        return this.#receive(end, accept(this.#wrap(end, hello.identity)));
      },
    };
    this.#listening = listening;
    this.#network.listen(this.#address, listening);
  }

  connect(address: PeerAddress, listener: PeerListener & { onOpen(): void }): PeerConnection {
    if (this.#isClosed) throw new Error("the transport was closed");
    const target = {
      address: `${address.host}:${address.port}`,
      machineId: machineOfHost(address.host),
      hello: { identity: this.#brokerId, expected: address.brokerId },
    };
    const end: ConnectionEnd = this.#network.connect(this.#process, target, {
      onOpen: () => listener.onOpen(),
      onMessage: (payload) => listener.onMessage(payload as Buffer),
      onClose: (reason) => {
        this.#ends.delete(end);
        listener.onClose(reason);
      },
    });
    return this.#wrap(end, address.brokerId);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#listening !== undefined) this.#network.unlisten(this.#address, this.#listening);
    for (const end of [...this.#ends]) end.close();
  }

  #receive(end: ConnectionEnd, listener: PeerListener): EndListener {
    return {
      onMessage: (payload) => listener.onMessage(payload as Buffer),
      onClose: (reason) => {
        this.#ends.delete(end);
        listener.onClose(reason);
      },
    };
  }

  #wrap(end: ConnectionEnd, brokerId: number): PeerConnection {
    this.#ends.add(end);
    return {
      brokerId,
      send: (chunks) => {
        // The copy belongs to the receiver; what the sender does to its buffers later must not matter.
        const message = Buffer.concat(chunks);
        end.send(message, message.length);
      },
      get unsentBytes() {
        return end.unsentBytes;
      },
      close: () => end.close(),
    };
  }
}
