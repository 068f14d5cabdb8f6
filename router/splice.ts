import type { Socket } from "node:net";
import { halfClosedMs } from "./limits.ts";

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
 * Joins two sockets: bytes go over as they come, a side that is slow stops the reading of the other, the end of one half
 * is handed on. What waits for a slow side is bounded by the sockets' write buffers (`unsentBytesMax`) and one read.
 */
export class Splice {
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #events: SpliceEvents;
  #moved = 0;
  #how: SpliceEnd | undefined;
  #closed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, broker: Socket, events: SpliceEvents) {
    this.#client = client;
    this.#broker = broker;
    this.#events = events;
    this.#join(client, broker, "in");
    this.#join(broker, client, "out");
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (chunk: Buffer) => {
      this.#moved += chunk.length;
      this.#events.onBytes(direction, chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("end", () => {
      to.end();
      this.#watchHalfClosed();
    });
    from.on("close", (failed: boolean) => {
      this.#onClosed(failed || !from.readableEnded, direction, to);
    });
    from.resume();
  }

  #watchHalfClosed(): void {
    if (this.#timer !== undefined || this.#closed === 2) return;
    const moved = this.#moved;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#moved !== moved) return this.#watchHalfClosed();
      this.#how ??= "half-closed-too-long";
      this.#client.destroy();
      this.#broker.destroy();
    }, halfClosedMs);
  }

  #onClosed(failed: boolean, direction: Direction, other: Socket): void {
    this.#closed++;
    if (failed) {
      this.#how ??= direction === "in" ? "client-failed" : "broker-failed";
      // Whoever is gone without an end takes the other one along.
      other.destroy();
    }
    if (this.#closed < 2) return;
    clearTimeout(this.#timer);
    this.#events.onClosed(this.#how ?? "ended");
  }
}
