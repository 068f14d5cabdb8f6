import { halfClosedMs } from "./limits.ts";
import type { Side } from "./side.ts";

export type Direction = "in" | "out";

export type SpliceEnd =
  /** Both sides ended their halves. */
  | "ended"
  | "client-failed"
  | "broker-failed"
  /** One side ended, and the other sent nothing more and did not end. */
  | "half-closed-too-long";

export interface SpliceEvents {
  onBytes(direction: Direction, bytes: number): void;
  /** Called once, when both sockets are closed. */
  onClosed(how: SpliceEnd): void;
}

/**
 * Joins two sides: bytes go over as they come, out of the memory that they were read into; when the other side does not
 * take all of them at once, nothing more is read until it has. The end of one half is handed on.
 */
export class Splice {
  readonly #client: Side;
  readonly #broker: Side;
  readonly #events: SpliceEvents;
  #moved = 0;
  #how: SpliceEnd | undefined;
  #closed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Side, broker: Side, events: SpliceEvents) {
    this.#client = client;
    this.#broker = broker;
    this.#events = events;
    this.#join(client, broker, "in");
    this.#join(broker, client, "out");
  }

  #join(from: Side, to: Side, direction: Direction): void {
    const { socket } = from;
    const target = to.socket;
    const onWritten = () => from.release();
    from.receive = (bytes) => {
      this.#moved += bytes.length;
      this.#events.onBytes(direction, bytes.length);
      target.write(bytes, onWritten);
      // What the kernel took at once is not counted any more: the memory is free.
      return target.writableLength === 0 ? "done" : "kept";
    };
    socket.on("end", () => {
      target.end();
      this.#watchHalfClosed();
    });
    socket.on("close", (failed: boolean) => this.#onClosed(failed || !socket.readableEnded, direction, to));
    socket.resume();
  }

  #watchHalfClosed(): void {
    if (this.#timer !== undefined || this.#closed === 2) return;
    const moved = this.#moved;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#moved !== moved) return this.#watchHalfClosed();
      this.#how ??= "half-closed-too-long";
      this.#client.socket.destroy();
      this.#broker.socket.destroy();
    }, halfClosedMs);
  }

  #onClosed(failed: boolean, direction: Direction, other: Side): void {
    this.#closed++;
    if (failed) {
      this.#how ??= direction === "in" ? "client-failed" : "broker-failed";
      // Whoever is gone without an end takes the other one along.
      other.socket.destroy();
    }
    if (this.#closed < 2) return;
    clearTimeout(this.#timer);
    this.#events.onClosed(this.#how ?? "ended");
  }
}
