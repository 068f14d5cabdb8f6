/** A transport whose other ends are the test itself. */
import { decodeJson, encodeJson, type JsonMessage } from "../../../../broker/peer/peer-messages.ts";
import type {
  PeerAddress,
  PeerConnection,
  PeerListener,
  PeerTransport,
} from "../../../../shared/ports/peer-transport.ts";

/** One end of a connection; the test plays the peer. */
export class FakeConnection implements PeerConnection {
  readonly brokerId: number;
  readonly unsentBytes = 0;
  /** Messages sent to the peer, each in one buffer. */
  readonly sent: Buffer[] = [];
  isClosed = false;
  listener: PeerListener | undefined;

  constructor(brokerId: number) {
    this.brokerId = brokerId;
  }

  send(chunks: readonly Buffer[]): void {
    if (!this.isClosed) this.sent.push(Buffer.concat(chunks));
  }

  /** As the real ones: the listener hears of the end later, not in here. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.listener?.onClose("closed here"));
  }

  /** The connection breaks. */
  reset(): void {
    this.isClosed = true;
    this.listener?.onClose("reset by the peer");
  }

  receive(message: JsonMessage | Buffer): void {
    this.listener?.onMessage(Buffer.isBuffer(message) ? message : encodeJson(message));
  }

  /** JSON messages sent and not looked at yet, without heartbeats unless asked for. */
  takeJson(options: { readonly heartbeats?: boolean } = {}): JsonMessage[] {
    const messages = this.sent.filter((message) => message.readUInt8(0) === 3).map((message) => decodeJson(message));
    this.sent.splice(0);
    return messages.filter(({ kind }) => options.heartbeats === true || kind !== "heartbeat");
  }
}

interface Dialed extends PeerAddress {
  readonly connection: FakeConnection;
  /** The peer answers. */
  open(): void;
  refuse(): void;
}

export class FakeTransport implements PeerTransport {
  readonly dialed: Dialed[] = [];
  isClosed = false;
  #accept: ((connection: PeerConnection) => PeerListener) | undefined;

  listen(accept: (connection: PeerConnection) => PeerListener): void {
    this.#accept = accept;
  }

  connect(address: PeerAddress, listener: PeerListener & { onOpen(): void }): PeerConnection {
    const connection = new FakeConnection(address.brokerId);
    connection.listener = listener;
    this.dialed.push({
      ...address,
      connection,
      open: () => listener.onOpen(),
      refuse: () => {
        connection.isClosed = true;
        listener.onClose("refused");
      },
    });
    return connection;
  }

  /** A peer connects. */
  accepted(brokerId: number): FakeConnection {
    const connection = new FakeConnection(brokerId);
    connection.listener = this.#accept?.(connection);
    return connection;
  }

  close(): void {
    this.isClosed = true;
  }
}
