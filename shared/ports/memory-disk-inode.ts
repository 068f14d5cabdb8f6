/** One file of `MemoryDisk`: its bytes as processes see them, its bytes on the device, and the changes between the two. */

/** A power loss tears a write between sectors, never inside one. */
const sectorBytes = 512;

type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly size: number };

/** Bytes that grow by doubling. */
class Content {
  #memory = Buffer.alloc(0);
  size = 0;

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.size);
  }

  write(position: number, bytes: Buffer): void {
    const end = position + bytes.length;
    if (bytes.length === 0) return;
    if (end > this.#memory.length) {
      const grown = Buffer.alloc(Math.max(end, this.#memory.length * 2));
      this.bytes.copy(grown);
      this.#memory = grown;
    }
    bytes.copy(this.#memory, position);
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    if (size > this.size) this.write(size - 1, Buffer.alloc(1));
    else this.#memory.fill(0, size, this.size);
    this.size = size;
  }

  replace(bytes: Buffer): void {
    this.#memory = Buffer.from(bytes);
    this.size = bytes.length;
  }
}

export class DiskInode {
  readonly #cached = new Content();
  readonly #durable = new Content();
  #unsynced: Change[] = [];
  /** Changes made durable so far, by sync. */
  #synced = 0;

  get size(): number {
    return this.#cached.size;
  }

  get bytes(): Buffer {
    return this.#cached.bytes;
  }

  /** Counts all changes so far: what `sync` takes. */
  get changeCount(): number {
    return this.#synced + this.#unsynced.length;
  }

  write(position: number, bytes: Buffer): void {
    if (bytes.length > 0) this.#change({ kind: "write", position, bytes: Buffer.from(bytes) });
  }

  truncate(size: number): void {
    this.#change({ kind: "truncate", size });
  }

  read(position: number, target: Buffer): number {
    const { bytes } = this.#cached;
    return position >= bytes.length ? 0 : bytes.copy(target, 0, position);
  }

  /** Makes the first `count` of all changes durable. */
  sync(count: number): void {
    const changes = this.#unsynced.splice(0, Math.max(0, count - this.#synced));
    for (const change of changes) apply(this.#durable, change);
    this.#synced += changes.length;
  }

  /** The cache is gone; of what was not durable, the changes for which `keeps` says so survive. */
  losePower(keeps: () => boolean, tear: (() => number) | undefined): void {
    for (const change of this.#unsynced) {
      if (change.kind === "write" && tear !== undefined && tear() < 0.5) applyTorn(this.#durable, change, keeps);
      else if (keeps()) apply(this.#durable, change);
    }
    this.#synced += this.#unsynced.length;
    this.#unsynced = [];
    this.#cached.replace(this.#durable.bytes);
  }

  damage(position: number, bytes: Buffer): void {
    this.#cached.write(position, bytes);
    this.sync(this.changeCount);
    this.#durable.write(position, bytes);
  }

  #change(change: Change): void {
    this.#unsynced.push(change);
    apply(this.#cached, change);
  }
}

function apply(content: Content, change: Change): void {
  if (change.kind === "write") content.write(change.position, change.bytes);
  else content.truncate(change.size);
}

function applyTorn(content: Content, change: Extract<Change, { kind: "write" }>, keeps: () => boolean): void {
  let from = 0;
  while (from < change.bytes.length) {
    const end = Math.min(change.bytes.length, from + sectorBytes - ((change.position + from) % sectorBytes));
    if (keeps()) content.write(change.position + from, change.bytes.subarray(from, end));
    from = end;
  }
}
