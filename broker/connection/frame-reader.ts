import type net from "node:net";
import type { TLSSocket } from "node:tls";
import type { FrameAssembler } from "../../shared/kafka/frame.ts";
import { moveToOwnedReads, type OwnedReads } from "../../shared/ports/owned-reads.ts";

export interface FrameEvents {
  /** Whole frames, in order; called after every read, also when none became complete. */
  onRead(frames: readonly Buffer[]): void;
  /** The bytes make no frame; called once, nothing follows. */
  onMalformed(error: unknown): void;
}

/**
 * Lets an accepted, paused connection read straight into the assembler's buffers, so that a large request is received
 * without a copy. Returns the socket to use from now on.
 */
export function readPlainSocket(accepted: net.Socket, assembler: FrameAssembler, events: FrameEvents): net.Socket {
  const moved = moveToOwnedReads(accepted, new BufferFeed(assembler, events));
  if (moved === undefined) {
    readChunks(accepted, assembler, events);
    return accepted;
  }
  // The peer may end its half and still read its answers.
  moved.allowHalfOpen = true;
  return moved;
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

/** Hands the assembler's buffers to the socket, and what was read to the listener. Who wants no more pauses the socket. */
class BufferFeed implements OwnedReads {
  readonly #assembler: FrameAssembler;
  readonly #events: FrameEvents;
  #failed = false;

  constructor(assembler: FrameAssembler, events: FrameEvents) {
    this.#assembler = assembler;
    this.#events = events;
  }

  buffer(): Buffer {
    // After a failure the socket is about to be destroyed; whatever it still reads goes nowhere.
    return this.#failed ? Buffer.allocUnsafe(1) : this.#assembler.nextBuffer();
  }

  callback(bytes: number): void {
    if (this.#failed) return;
    let frames: readonly Buffer[];
    try {
      frames = this.#assembler.commit(bytes);
    } catch (error) {
      this.#failed = true;
      this.#events.onMalformed(error);
      return;
    }
    this.#events.onRead(frames);
  }
}
