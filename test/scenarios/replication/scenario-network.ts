import { PeerLink } from "../../../broker/peer/peer-link.ts";
import type { PeerConnection } from "../../../shared/ports/peer-transport.ts";
import { describeMessage } from "../../unit/broker/peer/described-message.ts";
import type { ScenarioTime } from "./scenario-time.ts";

/** Who is at one end of a link. */
export interface LinkOwner {
  readonly id: number;
  readonly isDead: boolean;
  linkUp(link: PeerLink): void;
  linkDown(link: PeerLink): void;
  receive(link: PeerLink, message: Buffer): void;
}

interface Connection {
  readonly ends: readonly [LinkOwner, LinkOwner];
  readonly links: Map<LinkOwner, PeerLink>;
  isOpen: boolean;
}

interface Flying {
  readonly connection: Connection;
  readonly from: LinkOwner;
  readonly to: LinkOwner;
  readonly message: Buffer;
}

/** Connections between brokers; a message waits until a command delivers it. Order is kept within each direction. */
export class ScenarioNetwork {
  readonly #time: ScenarioTime;
  #connections: Connection[] = [];
  #flying: Flying[] = [];

  constructor(time: ScenarioTime) {
    this.#time = time;
  }

  connect(a: LinkOwner, b: LinkOwner): void {
    this.disconnect(a, b);
    const connection: Connection = { ends: [a, b], links: new Map(), isOpen: true };
    this.#connections.push(connection);
    for (const [self, peer] of [
      [a, b],
      [b, a],
    ] as const)
      connection.links.set(self, this.#openEnd(connection, self, peer));
    for (const owner of [a, b]) owner.linkUp(this.#linkOf(connection, owner));
  }

  #openEnd(connection: Connection, self: LinkOwner, peer: LinkOwner): PeerLink {
    const end: PeerConnection = {
      brokerId: peer.id,
      unsentBytes: 0,
      send: (chunks) => {
        const message = Buffer.concat(chunks);
        if (connection.isOpen) this.#flying.push({ connection, from: self, to: peer, message });
      },
      close: () => this.#close(connection),
    };
    return new PeerLink(end, { clock: this.#time, timers: this.#time.timersOf(() => self.isDead) });
  }

  #linkOf(connection: Connection, owner: LinkOwner): PeerLink {
    const link = connection.links.get(owner);
    if (link === undefined) throw new Error(`broker ${owner.id} has no end of the connection`);
    return link;
  }

  link(self: LinkOwner, peer: number): PeerLink | undefined {
    const open = this.#connections.find(
      ({ ends, isOpen }) => isOpen && ends.includes(self) && ends.some(({ id }) => id === peer),
    );
    return open?.links.get(self);
  }

  /** What is on the way is lost. */
  disconnect(a: LinkOwner, b: LinkOwner): void {
    for (const connection of this.#connections)
      if (connection.ends.includes(a) && connection.ends.includes(b)) this.#close(connection);
    this.#connections = this.#connections.filter(({ isOpen }) => isOpen);
  }

  #close(connection: Connection): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    this.#flying = this.#flying.filter((flying) => flying.connection !== connection);
    for (const owner of connection.ends) {
      const link = this.#linkOf(connection, owner);
      link.onClosed("cut");
      if (!owner.isDead) owner.linkDown(link);
    }
  }

  /** Heartbeats go both ways on every connection of a living broker. */
  heartbeats(): void {
    for (const { links } of this.#connections)
      for (const link of links.values()) link.echoedMs = this.#time.monotonicMs();
  }

  /** Delivers the oldest message of a direction; what it says, or undefined when there is none. */
  deliverNext(from: number | undefined, to: number | undefined): string[] | undefined {
    const at = this.#flying.findIndex(
      (flying) => (from === undefined || flying.from.id === from) && (to === undefined || flying.to.id === to),
    );
    const flying = this.#flying[at];
    if (flying === undefined) return undefined;
    this.#flying.splice(at, 1);
    flying.to.receive(this.#linkOf(flying.connection, flying.to), flying.message);
    return describeMessage(flying.message).map((line) => `${flying.from.id} → ${flying.to.id}  ${line}`);
  }

  /** What is on the way, in order. */
  describe(): string[] {
    return this.#flying.flatMap(({ from, to, message }) =>
      describeMessage(message).map((line) => `${from.id} → ${to.id}  ${line}`),
    );
  }
}
