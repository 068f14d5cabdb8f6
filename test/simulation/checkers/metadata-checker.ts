/**
 * The metadata log as a total order: an entry, once put, stands for ever at its number; numbers have no gaps; and every
 * broker that reached a number has the same image there.
 */
import type { Item } from "../../../shared/item-store/item-store.ts";

export class MetadataChecker {
  readonly #entries = new Map<number, string>();
  readonly #images = new Map<number, { readonly digest: string; readonly by: string }>();
  readonly #violate: (message: string) => void;
  #last = 0;

  constructor(violate: (message: string) => void) {
    this.#violate = violate;
  }

  /** Number of the newest entry. */
  get last(): number {
    return this.#last;
  }

  /** The store took this item of the cell's log. `trimmed`: what the trim item says at that moment. */
  stored(item: Item, trimmed: number): void {
    const id = String(item.attributes["id"]);
    const before = this.#entries.get(item.sort);
    // Below the trim a late put falls into a hole; its writer must find that out, and the images will tell.
    if (item.sort <= trimmed) return;
    if (before !== undefined && before !== id) {
      this.#violate(`entry ${item.sort} of the metadata log was ${before} and became ${id}`);
    }
    if (item.sort > this.#last + 1) this.#violate(`entry ${item.sort} was put although ${this.#last + 1} is empty`);
    this.#entries.set(item.sort, id);
    this.#last = Math.max(this.#last, item.sort);
  }

  /** `by` has applied all entries up to `seq` and its image has this digest. */
  applied(by: string, seq: number, digest: string): void {
    const known = this.#images.get(seq);
    if (seq > this.#last) this.#violate(`${by} is at entry ${seq}, the log ends at ${this.#last}`);
    if (known === undefined) this.#images.set(seq, { digest, by });
    else if (known.digest !== digest) this.#violate(`${by} and ${known.by} have different images at entry ${seq}`);
  }
}
