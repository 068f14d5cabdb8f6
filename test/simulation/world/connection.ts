import type { Network } from "./network.ts";
import type { SimProcess } from "./sim-process.ts";

export interface EndListener {
  onMessage(payload: unknown): void;
  onClose(reason: string): void;
}

type Queued =
  | { readonly kind: "data"; readonly payload: unknown; readonly bytes: number; readonly readyMs: number }
  | { readonly kind: "close"; readonly reason: string; readonly readyMs: number };

/** What the operating systems of both sides hold for one direction before a sender sees bytes it could not send. */
const kernelBufferBytes = 512 * 1024;
/** Messages that arrive within this time may reach the program in one turn of its event loop. */
const coalesceMs = 0.05;
const coalesceChance = 0.5;
/** Sums of simulated times are not exact. */
const roundingMs = 1e-6;
/** A close throws away what was sent before it and is still under way (unread data at the closing side). */
const closeDropsDataChance = 0.3;

/** One side of a connection. */
export class ConnectionEnd {
  readonly #connection: Connection;
  readonly #isInitiator: boolean;
  /** Undefined until the operating system of the accepting side took the connection. */
  owner: SimProcess | undefined;
  listener: EndListener | undefined;
  /** No callback reaches this end any more. */
  isClosed = false;
  /** Sent by this end and not yet read by the other program. */
  unreadBytes = 0;
  /** What this end sent and has not arrived. */
  readonly outgoing: Queued[] = [];
  isPumping = false;
  lastReadyMs = 0;

  constructor(connection: Connection, isInitiator: boolean) {
    this.#connection = connection;
    this.#isInitiator = isInitiator;
  }

  get process(): SimProcess {
    if (this.owner === undefined) throw new Error("this end of the connection belongs to nobody yet");
    return this.owner;
  }

  get peer(): ConnectionEnd {
    return this.#isInitiator ? this.#connection.acceptor : this.#connection.initiator;
  }

  get unsentBytes(): number {
    return Math.max(0, this.unreadBytes - kernelBufferBytes);
  }

  send(payload: unknown, bytes: number): void {
    this.#connection.send(this, payload, bytes);
  }

  close(): void {
    this.#connection.close(this);
  }
}

/**
 * An ordered, reliable connection between two processes. A message leaves the queue of its direction when its latency is
 * over and the link is not blocked; it is read when the receiving process runs.
 */
export class Connection {
  readonly initiator: ConnectionEnd;
  readonly acceptor: ConnectionEnd;
  readonly #network: Network;
  readonly #targetMachineId: number;
  #isOpen = false;
  /** The machine of this end lost its power: the other side hears nothing until that machine runs again. */
  #deadEnd: ConnectionEnd | undefined;

  constructor(network: Network, from: SimProcess, targetMachineId: number, listener: EndListener) {
    this.#network = network;
    this.#targetMachineId = targetMachineId;
    this.initiator = new ConnectionEnd(this, true);
    this.acceptor = new ConnectionEnd(this, false);
    this.initiator.listener = listener;
    this.#own(this.initiator, from);
  }

  /** The accepting process is known; it has not run yet. */
  bind(process: SimProcess): void {
    this.#own(this.acceptor, process);
  }

  open(accepted: EndListener, onOpen: () => void): void {
    this.acceptor.listener = accepted;
    const latencyMs = this.#network.latencyMs(this.acceptor.process.machineId, this.initiator.process.machineId, 0);
    this.#network.scheduler.after(latencyMs, `${this.initiator.process.name} open`, () => {
      if (this.initiator.isClosed || this.acceptor.isClosed) return;
      this.initiator.process.deliver("open", () => {
        if (this.initiator.isClosed) return;
        this.#isOpen = true;
        onOpen();
        this.#pump(this.initiator);
        this.#pump(this.acceptor);
      });
    });
  }

  joins(a: number, b: number): boolean {
    const from = this.initiator.process.machineId;
    const to = this.#targetMachineId;
    return (from === a && to === b) || (from === b && to === a);
  }

  send(end: ConnectionEnd, payload: unknown, bytes: number): void {
    if (end.isClosed) return;
    const { scheduler } = this.#network;
    const latencyMs = this.#network.latencyMs(end.process.machineId, this.#machineOf(end.peer), bytes);
    end.lastReadyMs = Math.max(end.lastReadyMs, scheduler.nowMs + latencyMs);
    end.unreadBytes += bytes;
    end.outgoing.push({ kind: "data", payload, bytes, readyMs: end.lastReadyMs });
    this.#pump(end);
  }

  /** The program closes its end: it hears `onClose` soon, the other end when the news arrives. */
  close(end: ConnectionEnd): void {
    if (end.isClosed) return;
    this.#closeHere(end, "closed by this side");
    this.#sendClose(end, "closed by the peer");
  }

  refuse(reason: string): void {
    this.#closeHere(this.initiator, reason);
    this.acceptor.isClosed = true;
    this.#network.forget(this);
  }

  reset(reason: string): void {
    this.#closeHere(this.initiator, reason);
    this.#closeHere(this.acceptor, reason);
    this.#network.forget(this);
  }

  /** The link from one machine to another works again. */
  wake(from: number, to: number): void {
    if (this.initiator.process.machineId === from && this.#targetMachineId === to) this.#pump(this.initiator);
    if (this.#targetMachineId === from && this.initiator.process.machineId === to) this.#pump(this.acceptor);
  }

  resetDeadEnd(machineId: number): void {
    if (this.#deadEnd === undefined || this.#machineOf(this.#deadEnd) !== machineId) return;
    this.#sendClose(this.#deadEnd, "ECONNRESET");
  }

  #machineOf(end: ConnectionEnd): number {
    return end === this.acceptor ? this.#targetMachineId : end.process.machineId;
  }

  #own(end: ConnectionEnd, process: SimProcess): void {
    end.owner = process;
    process.onDeath((how) => {
      const wasClosed = end.isClosed;
      end.isClosed = true;
      if (wasClosed) return;
      if (how === "power") {
        this.#deadEnd = end;
        end.outgoing.length = 0;
      } else this.#sendClose(end, "ECONNRESET");
    });
  }

  #closeHere(end: ConnectionEnd, reason: string): void {
    if (end.isClosed) return;
    end.isClosed = true;
    const { owner, listener } = end;
    if (owner === undefined || listener === undefined) return;
    const latencyMs = this.#network.random.fraction();
    owner.deliverAfter(latencyMs, `closed ${reason}`, () => listener.onClose(reason));
  }

  #sendClose(end: ConnectionEnd, reason: string): void {
    const { scheduler, random } = this.#network;
    const latencyMs = this.#network.latencyMs(this.#machineOf(end), this.#machineOf(end.peer), 0);
    if (!this.#isOpen || random.chance(closeDropsDataChance)) {
      end.outgoing.length = 0;
      end.lastReadyMs = 0;
    }
    end.lastReadyMs = Math.max(end.lastReadyMs, scheduler.nowMs + latencyMs);
    end.outgoing.push({ kind: "close", reason, readyMs: end.lastReadyMs });
    this.#isOpen = true;
    this.#pump(end);
  }

  #pump(end: ConnectionEnd): void {
    const head = end.outgoing[0];
    if (head === undefined || end.isPumping || !this.#isOpen) return;
    const link = this.#network.link(this.#machineOf(end), this.#machineOf(end.peer));
    if (link.blocked) return;
    end.isPumping = true;
    const { scheduler } = this.#network;
    const label = `${end.owner?.name ?? "nobody"} > ${end.peer.owner?.name ?? "nobody"} ${describe(head)}`;
    scheduler.after(Math.max(0, head.readyMs - scheduler.nowMs), label, () => {
      end.isPumping = false;
      if (!link.blocked) this.#handOver(end);
      this.#pump(end);
    });
  }

  #handOver(end: ConnectionEnd): void {
    const first = end.outgoing[0];
    // What this turn was meant for was dropped by a close.
    if (first === undefined || first.readyMs > this.#network.scheduler.nowMs + roundingMs) return;
    end.outgoing.shift();
    if (first.kind === "close") {
      this.#closeHere(end.peer, first.reason);
      this.#network.forget(this);
      return;
    }
    const batch = [first];
    const { scheduler, random } = this.#network;
    while (random.chance(coalesceChance)) {
      const next = end.outgoing[0];
      if (next === undefined || next.kind === "close" || next.readyMs > scheduler.nowMs + coalesceMs) break;
      batch.push(next);
      end.outgoing.shift();
    }
    const receiver = end.peer;
    receiver.process.deliver("message", () => {
      for (const message of batch) {
        end.unreadBytes -= message.bytes;
        if (!receiver.isClosed) receiver.listener?.onMessage(message.payload);
      }
    });
  }
}

function describe(queued: Queued): string {
  return queued.kind === "close" ? `close ${queued.reason}` : `${queued.bytes} bytes`;
}
