interface Entry<T> {
  /** Undefined: forgotten, or scheduled anew. What such an entry was about is not kept in memory. */
  item: T | undefined;
  readonly atMs: number;
}

/** With fewer passed-over entries than this nothing is won by taking them out. */
const passedOverMin = 64;

/**
 * Items with the time at which each wants to be looked at. A deadline that moves later is not moved here: the item is
 * handed out at the old time and scheduled again by whoever looked at it, so that what happens often (a heartbeat) costs nothing.
 */
export class DeadlineQueue<T extends NonNullable<unknown>> {
  /** A binary heap, earliest first; entries of items that were scheduled anew or forgotten are passed over. */
  #heap: Entry<T>[] = [];
  /** How many entries of the heap are. */
  #passedOver = 0;
  readonly #scheduled = new Map<T, Entry<T>>();

  /** What it takes of memory, counted in entries: at most twice as many as there are items, and some. */
  get entryCount(): number {
    return this.#heap.length;
  }

  /** When the earliest item wants to be looked at, or sooner (some item once wanted to); Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Wakes the item at `atMs`, unless it will be woken sooner anyway. */
  schedule(item: T, atMs: number): void {
    const present = this.#scheduled.get(item);
    if (atMs === Number.POSITIVE_INFINITY || (present !== undefined && present.atMs <= atMs)) return;
    if (present !== undefined) this.#passOver(present);
    const entry: Entry<T> = { item, atMs };
    this.#scheduled.set(item, entry);
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
  }

  forget(item: T): void {
    const present = this.#scheduled.get(item);
    if (present === undefined) return;
    this.#scheduled.delete(item);
    this.#passOver(present);
  }

  /** Takes the earliest item out if it is due. */
  takeDue(nowMs: number): T | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#takeFirst();
      if (first.item === undefined) {
        this.#passedOver -= 1;
        continue;
      }
      this.#scheduled.delete(first.item);
      return first.item;
    }
    return undefined;
  }

  #passOver(entry: Entry<T>): void {
    entry.item = undefined;
    this.#passedOver += 1;
    if (this.#passedOver < passedOverMin || this.#passedOver * 2 < this.#heap.length) return;
    // What is in order is a heap too. Rare enough that an entry's share of it is small.
    this.#heap = this.#heap.filter(({ item }) => item !== undefined).sort((one, other) => one.atMs - other.atMs);
    this.#passedOver = 0;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down();
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#timeAt(parent) <= this.#timeAt(at)) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  #down(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const smaller = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left;
      if (this.#timeAt(at) <= this.#timeAt(smaller)) return;
      this.#swap(at, smaller);
      at = smaller;
    }
  }

  #timeAt(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a] as Entry<T>;
    this.#heap[a] = this.#heap[b] as Entry<T>;
    this.#heap[b] = entry;
  }
}
