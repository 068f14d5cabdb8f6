import type { BrokerId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { PeerConnection } from "../../shared/ports/peer-transport.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { appendMessageBytesMax, messageEntriesMax, pendingCallsMax } from "./limits.ts";
import {
  type AckEntry,
  type AppendEntry,
  encodeAcks,
  encodeAppend,
  encodeJson,
  type JsonMessage,
} from "./peer-messages.ts";
import { PushWindow } from "./push-window.ts";

/** What a call to a peer came to. `unreachable`: it may or may not have been done. */
export type CallResult =
  | { readonly kind: "answered"; readonly body: unknown }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface LinkPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** See `pushWindowBytesMax` in limits.ts. */
  readonly windowBytesMax?: number | undefined;
}

/**
 * One open connection to one peer, from when it opened to when it closed. Appends and acknowledgements produced in one
 * turn of the event loop leave in one message each; order between them does not matter, order among appends is kept.
 */
export class PeerLink {
  readonly brokerId: BrokerId;
  /** When the peer was last heard on this link, on the monotonic clock. */
  lastHeardMs: number;
  /** Whom the peer hears, as of its last heartbeat. */
  peerHears: ReadonlySet<BrokerId> = new Set();
  peerStoreReachable = true;
  /** The peer is about to stop. */
  peerDraining = false;
  /** `sentMs` of the peer's newest heartbeat, on its clock; null before the first. */
  peerSentMs: number | null = null;
  /** On our clock: the peer sent something after it had what we sent then. Unlike `lastHeardMs` this never is old news. */
  echoedMs = Number.NEGATIVE_INFINITY;
  closed = false;
  /** Append bytes pushed on this link, and those of them that were read back from the log. */
  pushedBytes = 0;
  caughtUpBytes = 0;
  /** Room for appends that this side pushes to the peer. */
  readonly window: PushWindow;

  readonly #connection: PeerConnection;
  readonly #ports: LinkPorts;
  #appends: AppendEntry[] = [];
  #appendBytes = 0;
  #acks = new Map<number, AckEntry>();
  #flushPlanned = false;
  #nextCallId = 1;
  readonly #calls = new Map<number, { readonly done: (result: CallResult) => void; readonly cancel: () => void }>();
  #nextStream = 1;

  constructor(connection: PeerConnection, ports: LinkPorts) {
    this.brokerId = connection.brokerId;
    this.#connection = connection;
    this.#ports = ports;
    this.window = new PushWindow(ports.windowBytesMax);
    this.lastHeardMs = ports.clock.monotonicMs();
  }

  /** A number for a stream that this side opens on this link. */
  newStream(): number {
    return this.#nextStream++;
  }

  get unsentBytes(): number {
    return this.#connection.unsentBytes;
  }

  send(message: JsonMessage): void {
    if (!this.closed) this.#connection.send([encodeJson(message)]);
  }

  sendRaw(chunks: readonly Buffer[]): void {
    if (!this.closed) this.#connection.send(chunks);
  }

  queueAppend(entry: AppendEntry, bytes: number): void {
    if (this.closed) return;
    const isFull = this.#appendBytes > 0 && this.#appendBytes + bytes > appendMessageBytesMax;
    if (isFull || this.#appends.length === messageEntriesMax) this.#flushAppends();
    this.#appends.push(entry);
    this.#appendBytes += bytes;
    this.pushedBytes += bytes;
    this.#planFlush();
  }

  /** The newest acknowledgement of a stream replaces an older one that has not left yet. */
  queueAck(entry: AckEntry): void {
    if (this.closed) return;
    this.#acks.set(entry.stream, entry);
    if (this.#acks.size === messageEntriesMax) this.#flushAcks();
    else this.#planFlush();
  }

  call(method: string, body: unknown, timeoutMs: number): Promise<CallResult> {
    if (this.closed || this.#calls.size >= pendingCallsMax)
      return Promise.resolve({ kind: "unreachable", reason: this.closed ? "link closed" : "too many calls" });
    const id = this.#nextCallId++;
    return new Promise((resolve) => {
      const cancel = this.#ports.timers.after(timeoutMs, () =>
        this.#settle(id, { kind: "unreachable", reason: "timeout" }),
      );
      this.#calls.set(id, { done: resolve, cancel });
      this.send({ kind: "call", id, method, body });
    });
  }

  answered(id: number, body: unknown): void {
    this.#settle(id, { kind: "answered", body });
  }

  close(): void {
    this.#connection.close();
  }

  /** The connection is gone: everything pending is told so. */
  onClosed(reason: string): void {
    this.closed = true;
    this.#appends = [];
    this.#acks.clear();
    for (const id of this.#calls.keys()) this.#settle(id, { kind: "unreachable", reason });
  }

  #settle(id: number, result: CallResult): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    call.cancel();
    call.done(result);
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#ports.timers.afterTurn(() => {
      this.#flushPlanned = false;
      this.#flushAppends();
      this.#flushAcks();
    });
  }

  #flushAcks(): void {
    if (this.#acks.size === 0 || this.closed) return;
    const acks = this.#acks;
    // Not cleared: V8 links the tables of a cleared map, and one that got old would keep all later ones alive.
    this.#acks = new Map();
    this.#connection.send([encodeAcks([...acks.values()])]);
  }

  #flushAppends(): void {
    if (this.#appends.length === 0 || this.closed) return;
    const entries = this.#appends;
    this.#appends = [];
    this.#appendBytes = 0;
    this.#connection.send(encodeAppend(entries));
  }
}
