import type { Disk, DiskFile } from "../../../shared/ports/disk.ts";
import { ByteFile } from "./byte-file.ts";
import type { SeededRandom } from "./seeded-random.ts";

type Change =
  | { readonly kind: "write"; readonly position: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly size: number };

/** A file's bytes: what every process reads, and what the device has. */
class Inode {
  readonly cached = new ByteFile();
  readonly durable = new ByteFile();
  /** Applied to `cached` and not to `durable`, in order. */
  unsynced: Change[] = [];

  change(change: Change): void {
    applyChange(this.cached, change);
    this.unsynced.push(change);
  }

  sync(): void {
    for (const change of this.unsynced) applyChange(this.durable, change);
    this.unsynced = [];
  }

  /** The inode as the device has it, with whatever of the unsynced changes the system had written by itself. */
  afterPowerLoss(random: SeededRandom): Inode {
    const survivor = new Inode();
    const content = this.durable;
    for (const change of survivingChanges(this.unsynced, random)) applyChange(content, change);
    survivor.change({ kind: "write", position: 0, data: content.content() });
    survivor.sync();
    return survivor;
  }
}

/** The names on a volume: folders, and files by path. */
interface Names {
  readonly files: Map<string, Inode>;
  readonly folders: Set<string>;
}

/**
 * The disk of one machine, in two layers: what is written (page cache: survives the death of a process) and what is
 * synced (survives the loss of power). Names change as on ext4: in order, and a sync of anything makes all earlier changes
 * of names durable. On a loss of power some of what was not synced may have reached the device all the same: nothing, a
 * torn part from the front, or any parts with zeros between.
 *
 * Every call takes effect at once; time and failures are added by `SimDisk`.
 */
export class Volume implements Disk {
  readonly #random: SeededRandom;
  #cached: Names = { files: new Map(), folders: new Set() };
  #durable: Names = { files: new Map(), folders: new Set() };
  #unsyncedNames: ((names: Names) => void)[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Everything that was not synced may be gone. No process runs. */
  powerLoss(): void {
    const kept = this.#random.chance(0.5) ? 0 : this.#random.below(this.#unsyncedNames.length + 1);
    for (const change of this.#unsyncedNames.slice(0, kept)) change(this.#durable);
    const survivors = new Map<Inode, Inode>();
    const files = new Map<string, Inode>();
    for (const [path, inode] of this.#durable.files) {
      const survivor = survivors.get(inode) ?? inode.afterPowerLoss(this.#random);
      survivors.set(inode, survivor);
      files.set(path, survivor);
    }
    this.#cached = { files, folders: new Set(this.#durable.folders) };
    this.#durable = { files: new Map(files), folders: new Set(this.#durable.folders) };
    this.#unsyncedNames = [];
  }

  /** A new, empty disk. */
  wipe(): void {
    this.#cached = { files: new Map(), folders: new Set() };
    this.#durable = { files: new Map(), folders: new Set() };
    this.#unsyncedNames = [];
  }

  open(path: string, options: { readonly create: boolean }): Promise<DiskFile> {
    let inode = this.#cached.files.get(path);
    if (inode === undefined) {
      if (!options.create) return Promise.reject(systemError("ENOENT", path));
      const made = new Inode();
      inode = made;
      this.#changeNames((names) => {
        addFolders(names, folderOf(path));
        names.files.set(path, made);
      });
    }
    return Promise.resolve(this.#handle(inode));
  }

  list(directory: string): Promise<readonly string[]> {
    const inside = `${directory}/`;
    const names = new Set<string>();
    for (const path of [...this.#cached.files.keys(), ...this.#cached.folders]) {
      if (path.startsWith(inside)) names.add(path.slice(inside.length).split("/")[0] as string);
    }
    return Promise.resolve([...names].sort());
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return Promise.resolve(this.#cached.files.get(path)?.cached.content());
  }

  replaceFile(path: string, content: Buffer): Promise<void> {
    const inode = new Inode();
    inode.change({ kind: "write", position: 0, data: Buffer.from(content) });
    inode.sync();
    this.#changeNames((names) => {
      addFolders(names, folderOf(path));
      names.files.set(path, inode);
    });
    this.#syncNames();
    return Promise.resolve();
  }

  removeFile(path: string): Promise<void> {
    if (this.#cached.files.has(path)) this.#changeNames((names) => void names.files.delete(path));
    return Promise.resolve();
  }

  removeDirectory(path: string): Promise<void> {
    const isInside = (other: string): boolean => other === path || other.startsWith(`${path}/`);
    this.#changeNames((names) => {
      for (const file of [...names.files.keys()]) if (isInside(file)) names.files.delete(file);
      for (const folder of [...names.folders]) if (isInside(folder)) names.folders.delete(folder);
    });
    return Promise.resolve();
  }

  rename(from: string, to: string): Promise<void> {
    if (!this.#cached.files.has(from) && !this.#cached.folders.has(from)) {
      return Promise.reject(systemError("ENOENT", from));
    }
    this.#changeNames((names) => renameIn(names, from, to));
    return Promise.resolve();
  }

  makeDirectory(path: string): Promise<void> {
    if (!this.#cached.folders.has(path)) this.#changeNames((names) => addFolders(names, path));
    return Promise.resolve();
  }

  space(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return Promise.resolve({ totalBytes: 1e12, freeBytes: 5e11 });
  }

  #handle(inode: Inode): DiskFile {
    return {
      sizeAtOpen: inode.cached.size,
      write: (position, buffers) => {
        inode.change({ kind: "write", position, data: Buffer.concat(buffers) });
        return Promise.resolve();
      },
      read: (position, target) => Promise.resolve(inode.cached.read(position, target)),
      sync: () => {
        inode.sync();
        this.#syncNames();
        return Promise.resolve();
      },
      truncate: (size) => {
        inode.change({ kind: "truncate", size });
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }

  #changeNames(change: (names: Names) => void): void {
    change(this.#cached);
    this.#unsyncedNames.push(change);
  }

  #syncNames(): void {
    for (const change of this.#unsyncedNames) change(this.#durable);
    this.#unsyncedNames = [];
  }
}

function applyChange(file: ByteFile, change: Change): void {
  if (change.kind === "write") file.write(change.position, change.data);
  else file.truncate(change.size);
}

function survivingChanges(unsynced: readonly Change[], random: SeededRandom): readonly Change[] {
  switch (random.weighted({ nothing: 5, front: 3, parts: 2 })) {
    case "nothing":
      return [];
    case "front": {
      const count = random.below(unsynced.length + 1);
      const torn = unsynced[count];
      const whole = unsynced.slice(0, count);
      if (torn?.kind !== "write") return whole;
      return [...whole, { ...torn, data: torn.data.subarray(0, random.below(torn.data.length + 1)) }];
    }
    case "parts":
      return unsynced.filter(() => random.chance(0.6));
  }
}

function renameIn(names: Names, from: string, to: string): void {
  const file = names.files.get(from);
  if (file !== undefined) {
    names.files.delete(from);
    names.files.set(to, file);
    return;
  }
  const moved = (path: string): string => to + path.slice(from.length);
  for (const [path, inode] of [...names.files]) {
    if (!path.startsWith(`${from}/`)) continue;
    names.files.delete(path);
    names.files.set(moved(path), inode);
  }
  for (const folder of [...names.folders]) {
    if (folder !== from && !folder.startsWith(`${from}/`)) continue;
    names.folders.delete(folder);
    names.folders.add(moved(folder));
  }
}

function addFolders(names: Names, path: string): void {
  for (let folder = path; folder !== ""; folder = folderOf(folder)) names.folders.add(folder);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
