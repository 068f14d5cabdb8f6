import { strict as assert } from "node:assert";

/** The place of one response in its connection's order. */
export interface ResponseSlot {
  /** undefined until filled; empty when the request has no response (acks=0). */
  chunks: readonly Buffer[] | undefined;
  next: ResponseSlot | undefined;
}

const noChunks: readonly Buffer[] = Object.freeze([]);

/**
 * Makes responses leave in the order of their requests, as every Kafka client expects. Requests open a slot as they
 * start; whoever finishes fills its own slot; a slot's response is sent once all slots before it were.
 *
 *   open A, open B, open C     fill B: nothing leaves      fill A: A, B leave      fill C: C leaves
 *
 * The number of slots is bounded by the requests that a connection may have in flight.
 */
export class ResponseOrder {
  readonly #send: (chunks: readonly Buffer[]) => void;
  #first: ResponseSlot | undefined;
  #last: ResponseSlot | undefined;
  #open = 0;

  /** `send` takes each response, in order; it must not throw. */
  constructor(send: (chunks: readonly Buffer[]) => void) {
    this.#send = send;
  }

  /** Slots whose response has not left. */
  get open(): number {
    return this.#open;
  }

  enter(): ResponseSlot {
    const slot: ResponseSlot = { chunks: undefined, next: undefined };
    if (this.#last === undefined) this.#first = slot;
    else this.#last.next = slot;
    this.#last = slot;
    this.#open += 1;
    return slot;
  }

  /** Gives the slot its response, or none. Once only. */
  fill(slot: ResponseSlot, chunks: readonly Buffer[] | undefined): void {
    assert(slot.chunks === undefined, "a request is answered once");
    slot.chunks = chunks ?? noChunks;
    while (this.#first?.chunks !== undefined) {
      const { chunks: ready, next } = this.#first;
      // A slot that left must not lead to those after it: one in V8's old generation would keep them all alive.
      this.#first.next = undefined;
      this.#first = next;
      if (next === undefined) this.#last = undefined;
      this.#open -= 1;
      if (ready.length > 0) this.#send(ready);
    }
  }
}
