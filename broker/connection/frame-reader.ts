import net from "node:net";
import type { TLSSocket } from "node:tls";
import type { FrameAssembler } from "../../shared/kafka/frame.ts";

export interface FrameEvents {
  /** Whole frames, in order; called after every read, also when none became complete. */
  onRead(frames: readonly Buffer[]): void;
  /** The bytes make no frame; called once, nothing follows. */
  onMalformed(error: unknown): void;
}

interface SocketWithHandle {
  _handle: object | null;
}

/**
 * Moves an accepted, paused connection to a socket that reads straight into the assembler's buffers, so that a large
 * request is received without a copy. Returns the new socket, which does not read yet (`resume`).
 *
 * Node takes `onread` only in the constructor of a Socket, and a server makes its sockets itself; so the accepted
 * handle moves to a new one. This depends on the undocumented `_handle`, in this function alone. Should a version of
 * Node have none, the accepted socket goes on as it is, with one copy more for each large request.
 */
export function readPlainSocket(accepted: net.Socket, assembler: FrameAssembler, events: FrameEvents): net.Socket {
  const handle = (accepted as unknown as SocketWithHandle)._handle;
  if (handle === null || handle === undefined) {
    readChunks(accepted, assembler, events);
    return accepted;
  }
  (accepted as unknown as SocketWithHandle)._handle = null;
  // Without its handle this only tells the server that the accepted socket is gone.
  accepted.destroy();
  const feed = new BufferFeed(assembler, events);
  const options = {
    handle,
    readable: true,
    writable: true,
    allowHalfOpen: true,
    noDelay: true,
    onread: { buffer: () => feed.nextBuffer(), callback: (bytes: number) => feed.take(bytes) },
  };
  return new net.Socket(options as unknown as net.SocketConstructorOpts);
}

/** TLS decrypts into buffers of its own: frames are views of them, or copied together. */
export function readTlsSocket(socket: TLSSocket, assembler: FrameAssembler, events: FrameEvents): void {
  readChunks(socket, assembler, events);
}

function readChunks(socket: net.Socket, assembler: FrameAssembler, events: FrameEvents): void {
  let failed = false;
  socket.on("data", (chunk: Buffer) => {
    if (failed) return;
    let frames: readonly Buffer[];
    try {
      frames = assembler.push(chunk);
    } catch (error) {
      failed = true;
      events.onMalformed(error);
      return;
    }
    events.onRead(frames);
  });
  socket.pause();
}

/** Hands the assembler's buffers to the socket, and what was read to the listener. */
class BufferFeed {
  readonly #assembler: FrameAssembler;
  readonly #events: FrameEvents;
  #failed = false;

  constructor(assembler: FrameAssembler, events: FrameEvents) {
    this.#assembler = assembler;
    this.#events = events;
  }

  nextBuffer(): Buffer {
    // After a failure the socket is about to be destroyed; whatever it still reads goes nowhere.
    return this.#failed ? Buffer.allocUnsafe(1) : this.#assembler.nextBuffer();
  }

  /** Always wants more: who does not, pauses the socket. */
  take(bytes: number): boolean {
    if (this.#failed) return true;
    let frames: readonly Buffer[];
    try {
      frames = this.#assembler.commit(bytes);
    } catch (error) {
      this.#failed = true;
      this.#events.onMalformed(error);
      return true;
    }
    this.#events.onRead(frames);
    return true;
  }
}
