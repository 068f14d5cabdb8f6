/** A map that its owner writes and everybody else reads. */
export interface Table<K, V> extends ReadonlyMap<K, V> {
  set(key: K, value: V): unknown;
  delete(key: K): boolean;
}

/**
 * A table of changes over another one that stays as it is: what the image would be, were an entry appended. Making one
 * costs nothing, whatever the size of `base`, which must not change while the overlay is in use.
 */
export class OverlayTable<K, V> implements Table<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  readonly #changed = new Map<K, V>();
  readonly #deleted = new Set<K>();
  readonly [Symbol.toStringTag] = "OverlayTable";

  constructor(base: ReadonlyMap<K, V>) {
    this.#base = base;
  }

  get(key: K): V | undefined {
    if (this.#changed.has(key)) {
      return this.#changed.get(key);
    }
    return this.#deleted.has(key) ? undefined : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.#changed.has(key) || (this.#base.has(key) && !this.#deleted.has(key));
  }

  set(key: K, value: V): this {
    this.#deleted.delete(key);
    this.#changed.set(key, value);
    return this;
  }

  delete(key: K): boolean {
    const existed = this.has(key);
    this.#changed.delete(key);
    if (this.#base.has(key)) {
      this.#deleted.add(key);
    }
    return existed;
  }

  get size(): number {
    let added = 0;
    for (const key of this.#changed.keys()) {
      added += this.#base.has(key) ? 0 : 1;
    }
    return this.#base.size - this.#deleted.size + added;
  }

  *entries(): MapIterator<[K, V]> {
    for (const [key, value] of this.#base) {
      if (this.#changed.has(key)) {
        yield [key, this.#changed.get(key) as V];
      } else if (!this.#deleted.has(key)) {
        yield [key, value];
      }
    }
    for (const [key, value] of this.#changed) {
      if (!this.#base.has(key)) {
        yield [key, value];
      }
    }
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) {
      yield key;
    }
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) {
      yield value;
    }
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) {
      visit(value, key, this);
    }
  }
}
