import { pushWindowBytesMax } from "./limits.ts";

/** Something that waits for room in the window to send more; it sends what fits and says whether it has more to send. */
export interface Pushable {
  /** Sends at most about `roomBytes`. Answers false when it has nothing more to send for now (or waits for the disk). */
  push(roomBytes: number): boolean;
}

/**
 * How many append bytes are under way to one peer. A slow or stopped peer fills its window and is then caught up from
 * the log, partition by partition in turn, without holding memory and without touching other peers.
 */
export class PushWindow {
  readonly #bytesMax: number;
  #inflightBytes = 0;
  readonly #behind = new Set<Pushable>();
  #pumping = false;

  constructor(bytesMax = pushWindowBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** Takes room for a direct push; false when the window is full or others wait for it already. */
  tryTake(bytes: number): boolean {
    if (this.#inflightBytes >= this.#bytesMax || this.#behind.size > 0) return false;
    this.#inflightBytes += bytes;
    return true;
  }

  /** Takes room for bytes that are sent in any case. */
  take(bytes: number): void {
    this.#inflightBytes += bytes;
  }

  release(bytes: number): void {
    this.#inflightBytes -= bytes;
    this.#pump();
  }

  /** Asks for a turn as soon as there is room; asking twice is asking once. */
  wait(pushable: Pushable): void {
    this.#behind.add(pushable);
    this.#pump();
  }

  forget(pushable: Pushable): void {
    this.#behind.delete(pushable);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (const pushable of this.#behind) {
      const roomBytes = this.#bytesMax - this.#inflightBytes;
      if (roomBytes <= 0) break;
      this.#behind.delete(pushable);
      // Added again at the end: everybody in turn.
      if (pushable.push(roomBytes)) this.#behind.add(pushable);
    }
    this.#pumping = false;
  }
}
