/**
 * Messages between the brokers of one cell. A connection is ordered and reliable until it closes; then everything
 * not yet handed over is lost, and both ends learn it (a silent peer is found by the user of the port, by heartbeats).
 */
export interface PeerTransport {
  /** Accepts authenticated connections from peers, until `close`. */
  listen(accept: (connection: PeerConnection) => PeerListener): void;
  /** Starts a connection; the listener hears `onOpen`, or `onClose` when it cannot be made. */
  connect(address: PeerAddress, listener: PeerListener & { onOpen(): void }): PeerConnection;
  close(): void;
}

export interface PeerAddress {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
}

export interface PeerConnection {
  /** The peer's broker id, proved by the cell's secret before the connection is handed over. */
  readonly brokerId: number;
  /**
   * Sends one message made of the chunks in order; they must not change until it left (in practice: never).
   * After close it does nothing.
   */
  send(chunks: readonly Buffer[]): void;
  /** Bytes handed to `send` that the operating system has not taken yet. */
  readonly unsentBytes: number;
  close(): void;
}

export interface PeerListener {
  /** One whole message; the buffer is the receiver's to keep. */
  onMessage(message: Buffer): void;
  /** Called once, when the connection ended for whatever reason. */
  onClose(reason: string): void;
}
