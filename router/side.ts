import { strict as assert } from "node:assert";
import { connect, type Socket } from "node:net";
import { moveToOwnedReads, type OwnedReads, onreadOption } from "../shared/ports/owned-reads.ts";
import { keepAliveMs } from "./limits.ts";
import type { ReadBuffers } from "./read-buffers.ts";

/**
 * Takes what was read. `kept`: it is still needed, or it has to wait, and nothing more may be read until `release`. The
 * bytes stay as they are until then.
 */
export type Receive = (bytes: Buffer) => "done" | "kept";

/**
 * One of the two sockets of a connection: reads into lent memory, so that nothing is allocated and nothing is left to
 * collect for the bytes that go through.
 */
export class Side implements OwnedReads {
  readonly #buffers: ReadBuffers;
  #socket: Socket | undefined;
  #buffer: Buffer;
  /** Holds what a write has not sent yet; undefined while it is a copy. */
  #kept: Buffer | undefined;
  #waiting = false;
  /** Bytes before somebody wants them are against the protocol: a broker speaks second. */
  receive: Receive = () => {
    this.socket.destroy();
    return "done";
  };

  private constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
    this.#buffer = buffers.shared;
  }

  /** Takes over an accepted, paused connection. */
  static accept(accepted: Socket, buffers: ReadBuffers): Side {
    const side = new Side(buffers);
    const moved = moveToOwnedReads(accepted, side);
    side.#own(moved ?? accepted);
    // A Node without owned reads: its own buffers, which nobody has to wait for.
    if (moved === undefined) accepted.on("data", (chunk: Buffer) => void side.receive(chunk)).pause();
    return side;
  }

  /** Begins to connect; the socket tells how it goes. */
  static connect(endpoint: { readonly host: string; readonly port: number }, buffers: ReadBuffers): Side {
    const side = new Side(buffers);
    const { host, port } = endpoint;
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs, allowHalfOpen: true };
    side.#own(connect({ host, port, ...options, onread: onreadOption(side) }));
    return side;
  }

  get socket(): Socket {
    assert(this.#socket !== undefined, "a side is made with its socket");
    return this.#socket;
  }

  /** What was kept has been sent: reading goes on. */
  release(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    if (this.#kept !== undefined) this.#buffers.giveBack(this.#kept);
    this.#kept = undefined;
    this.socket.resume();
  }

  /** @internal For the socket. */
  buffer(): Buffer {
    return this.#buffer;
  }

  /** @internal For the socket. */
  callback(bytesRead: number): void {
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, bytesRead);
    const isShared = buffer === this.#buffers.shared;
    if (this.receive(isShared ? Buffer.from(bytes) : bytes) === "done") {
      this.#buffer = this.#buffers.next(buffer, bytesRead);
      return;
    }
    this.#waiting = true;
    this.socket.pause();
    if (isShared) return;
    this.#kept = buffer;
    this.#buffer = this.#buffers.borrow();
  }

  #own(socket: Socket): void {
    this.#socket = socket;
    socket.allowHalfOpen = true;
    // Errors end in 'close'.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#buffers.giveBack(this.#buffer);
      if (this.#kept !== undefined) this.#buffers.giveBack(this.#kept);
      this.#buffer = noMemory;
      this.#kept = undefined;
    });
  }
}

const noMemory = Buffer.alloc(0);
