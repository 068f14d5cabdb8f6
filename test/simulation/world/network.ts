import { Connection, type ConnectionEnd, type EndListener } from "./connection.ts";
import type { Scheduler } from "./scheduler.ts";
import { drawLatency, type LatencyProfile, type SeededRandom } from "./seeded-random.ts";
import type { SimProcess } from "./sim-process.ts";

/** One direction between two machines. */
export interface Link {
  /** Packets are lost; connections stay open and go on when the link is back (TCP sends again). */
  blocked: boolean;
  extraMs: number;
  bytesPerMs: number;
}

export interface Listening {
  readonly process: SimProcess;
  /** Called in the process; `identity` is what the other side proved. Undefined refuses the connection. */
  accept(end: ConnectionEnd, hello: Hello): EndListener | undefined;
}

/** What both sides prove to each other before a connection is handed over. */
export interface Hello {
  readonly identity: number;
  /** Whom the initiator means to reach. */
  readonly expected: number;
}

export interface Target {
  readonly address: string;
  /** The machine at the address: known even when nobody listens there. */
  readonly machineId: number;
  readonly hello: Hello;
}

const calmLatency: LatencyProfile = { minMs: 0.1, meanMs: 0.3, tailChance: 0.01, tailMs: 8 };
const calmBytesPerMs = 100_000;
/** The operating system gives up on a connection attempt. */
const connectTimeoutMs = 5_000;

/** Machines, links between them and connections over the links. Machine ids of clients and brokers share one space. */
export class Network {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly #links = new Map<string, Link>();
  readonly #listening = new Map<string, Listening>();
  readonly #connections = new Set<Connection>();
  readonly #isPowered: (machineId: number) => boolean;
  /** A connection attempt fails for no visible reason. */
  connectFailureChance = 0;

  constructor(scheduler: Scheduler, random: SeededRandom, isPowered: (machineId: number) => boolean) {
    this.scheduler = scheduler;
    this.random = random;
    this.#isPowered = isPowered;
  }

  link(from: number, to: number): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { blocked: false, extraMs: 0, bytesPerMs: calmBytesPerMs };
      this.#links.set(key, link);
    }
    return link;
  }

  latencyMs(from: number, to: number, bytes: number): number {
    const link = this.link(from, to);
    return drawLatency(this.random, calmLatency) + link.extraMs + bytes / link.bytesPerMs;
  }

  listen(address: string, listening: Listening): void {
    this.#listening.set(address, listening);
    listening.process.onDeath(() => this.unlisten(address, listening));
  }

  unlisten(address: string, listening: Listening): void {
    if (this.#listening.get(address) === listening) this.#listening.delete(address);
  }

  connect(from: SimProcess, target: Target, listener: EndListener & { onOpen(): void }): ConnectionEnd {
    const connection = new Connection(this, from, target.machineId, listener);
    this.#connections.add(connection);
    const there = this.latencyMs(from.machineId, target.machineId, 0);
    this.scheduler.after(there, `${from.name} connect ${target.address}`, () => {
      this.#arrive(connection, target, listener, connectTimeoutMs);
    });
    return connection.initiator;
  }

  #arrive(
    connection: Connection,
    target: Target,
    listener: EndListener & { onOpen(): void },
    patienceMs: number,
  ): void {
    const from = connection.initiator.process;
    const isCut =
      this.link(from.machineId, target.machineId).blocked || this.link(target.machineId, from.machineId).blocked;
    if (isCut || !this.#isPowered(target.machineId)) {
      if (patienceMs <= 0) return connection.refuse("ETIMEDOUT");
      const againMs = Math.min(patienceMs, 1_000);
      this.scheduler.after(againMs, `${from.name} connect again`, () => {
        this.#arrive(connection, target, listener, patienceMs - againMs);
      });
      return;
    }
    const listening = this.#listening.get(target.address);
    if (listening === undefined || this.random.chance(this.connectFailureChance))
      return connection.refuse("ECONNREFUSED");
    // The operating system accepts; the program hears of it when it runs.
    connection.bind(listening.process);
    listening.process.deliver("accept", () => {
      if (connection.initiator.isClosed) return;
      const accepted = listening.accept(connection.acceptor, target.hello);
      if (accepted === undefined) return connection.refuse("refused");
      connection.open(accepted, () => listener.onOpen());
    });
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Both ends lose the connection, and what was under way. */
  reset(a: number, b: number): number {
    let count = 0;
    for (const connection of [...this.#connections]) {
      if (!connection.joins(a, b)) continue;
      count += 1;
      connection.reset("ECONNRESET");
    }
    return count;
  }

  block(from: number, to: number): void {
    this.link(from, to).blocked = true;
  }

  unblock(from: number, to: number): void {
    this.link(from, to).blocked = false;
    for (const connection of [...this.#connections]) connection.wake(from, to);
  }

  healAll(): void {
    this.connectFailureChance = 0;
    for (const [key, link] of this.#links) {
      link.extraMs = 0;
      link.bytesPerMs = calmBytesPerMs;
      const [from, to] = key.split(">").map(Number) as [number, number];
      if (link.blocked) this.unblock(from, to);
    }
  }

  /** The machine has power again: its operating system answers packets of connections that it does not know. */
  machineBooted(machineId: number): void {
    for (const connection of [...this.#connections]) connection.resetDeadEnd(machineId);
  }
}
