import type { ConnectionLimits } from "./limits.ts";

export type ConnectionRefusal = "listener-full" | "address-full" | "strangers-full";

export interface CountedConnection {
  readonly listener: string;
  readonly address: string;
  /** Has not authenticated yet. */
  stranger: boolean;
}

/** How many connections there are, by listener and by address; refuses those beyond the limits before anything is read. */
export class ConnectionCounts {
  readonly #limits: ConnectionLimits;
  readonly #byListener = new Map<string, number>();
  readonly #strangersByListener = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  open(listener: string): number {
    return this.#byListener.get(listener) ?? 0;
  }

  /** Why one more connection may not be accepted; undefined when it may. */
  refusal({ listener, address, stranger }: CountedConnection): ConnectionRefusal | undefined {
    if (this.open(listener) >= this.#limits.connectionsPerListenerMax) return "listener-full";
    if ((this.#byAddress.get(address) ?? 0) >= this.#limits.connectionsPerAddressMax) return "address-full";
    const strangers = this.#strangersByListener.get(listener) ?? 0;
    return stranger && strangers >= this.#limits.strangersPerListenerMax ? "strangers-full" : undefined;
  }

  add({ listener, address, stranger }: CountedConnection): void {
    change(this.#byListener, listener, 1);
    change(this.#byAddress, address, 1);
    if (stranger) change(this.#strangersByListener, listener, 1);
  }

  /** The connection has authenticated. */
  welcome(connection: CountedConnection): void {
    if (!connection.stranger) return;
    connection.stranger = false;
    change(this.#strangersByListener, connection.listener, -1);
  }

  remove(connection: CountedConnection): void {
    this.welcome(connection);
    change(this.#byListener, connection.listener, -1);
    change(this.#byAddress, connection.address, -1);
  }
}

function change(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
