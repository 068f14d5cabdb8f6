/**
 * The newest offset of each key of a part of a log: open addressing over one piece of memory that never grows. Keys are
 * known by their hash alone (`key-hash.ts`), as in Kafka's cleaner.
 */
import assert from "node:assert/strict";
import type { Offset } from "../log-contract.ts";
import { mapEntryBytes, mapLoadMax } from "./limits.ts";

const two32 = 4_294_967_296;
const wordsPerEntry = mapEntryBytes / 4;
const doublesPerEntry = mapEntryBytes / 8;

export class OffsetMap {
  /** Keys that it takes at most. */
  readonly keysMax: number;
  #size = 0;
  readonly #places: number;
  readonly #words: Int32Array;
  /** Offset plus one in the last double of each entry; 0 where there is none. */
  readonly #offsets: Float64Array;

  /** For `keys` keys, if `bytesMax` holds as many; else for as many as it holds. */
  constructor(keys: number, bytesMax: number) {
    const places = Math.min(Math.floor(keys / mapLoadMax) + 1, Math.floor(bytesMax / mapEntryBytes));
    this.keysMax = Math.min(keys, Math.floor(places * mapLoadMax));
    assert(this.keysMax >= 1, "a map holds a key at least");
    this.#places = places;
    const memory = new ArrayBuffer(places * mapEntryBytes);
    this.#words = new Int32Array(memory);
    this.#offsets = new Float64Array(memory);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** The newest offset noted for the hash; -1 when none is. */
  get(hash: Int32Array): Offset {
    return (this.#offsets[this.#place(hash) * doublesPerEntry + 2] as number) - 1;
  }

  /** Notes that the key is at `offset`, above all that were noted before; false when it is new and there is no room. */
  put(hash: Int32Array, offset: Offset): boolean {
    const place = this.#place(hash);
    const at = place * doublesPerEntry + 2;
    if (this.#offsets[at] === 0) {
      if (this.#size === this.keysMax) return false;
      this.#size += 1;
      this.#words.set(hash, place * wordsPerEntry);
    }
    this.#offsets[at] = offset + 1;
    return true;
  }

  /** Where the hash is, or would be. */
  #place(hash: Int32Array): number {
    const words = this.#words;
    let place = Math.floor((((hash[0] as number) >>> 0) * this.#places) / two32);
    for (;;) {
      if (this.#offsets[place * doublesPerEntry + 2] === 0) return place;
      const at = place * wordsPerEntry;
      if (
        words[at] === hash[0] &&
        words[at + 1] === hash[1] &&
        words[at + 2] === hash[2] &&
        words[at + 3] === hash[3]
      ) {
        return place;
      }
      place = place + 1 === this.#places ? 0 : place + 1;
    }
  }
}
