/**
 * The Disk port in memory, for the simulator and tests: what is written is in a page cache, what is synced is durable, and
 * a crash keeps of the rest what it is told to. Deterministic: every completion goes through `schedule`, every choice
 * through a given function.
 *
 * Folder entries (a file made, removed, renamed) are durable once `replaceFile` was done in the same folder, as with a
 * journal that nobody flushed; folders themselves are durable at once. An operation takes effect when it completes.
 */
import path from "node:path";
import type { Disk, DiskFile } from "./disk.ts";
import { DiskInode } from "./memory-disk-inode.ts";

export interface DiskOperation {
  readonly kind:
    | "open"
    | "list"
    | "read-file"
    | "replace-file"
    | "remove-file"
    | "remove-directory"
    | "rename"
    | "make-directory"
    | "space"
    | "write"
    | "read"
    | "sync"
    | "truncate"
    | "close";
  readonly path: string;
  /** Of a write or read. */
  readonly bytes: number;
}

/** What happens to one operation. A failed write first writes `writtenBytes` of its bytes, then perhaps garbage. */
export type DiskFault =
  | {
      readonly kind: "error";
      /** The system's, such as `EIO`. */
      readonly code: string;
      readonly writtenBytes?: number;
      readonly garbage?: Buffer;
    }
  /** It takes so much longer; the scheduler gets the time. */
  | { readonly kind: "delay"; readonly ms: number }
  /** It never ends, and has no effect. */
  | { readonly kind: "stuck" };

export interface MemoryDiskOptions {
  /** Runs a completion later. Left out: as a microtask, delays of no effect. */
  readonly schedule?: (run: () => void, delayMs: number) => void;
  /** Size of the volume. Left out: no limit. */
  readonly capacityBytes?: number;
}

export interface CrashOptions {
  /**
   * What of the unsynced survives. `all`: only the process died. `none`: the power went, the cache with it. `random`: any
   * subset, by `random`.
   */
  readonly keepUnsynced: "all" | "none" | "random";
  /** Uniform in [0, 1). Decides what survives with `random`, and with `all` how much of a write under way. */
  readonly random?: () => number;
  /** With `random`: a write may survive in parts of a sector. */
  readonly tornWrites?: boolean;
}

type FolderChange = { readonly path: string; readonly inode: DiskInode | undefined };

/** An error as the system gives it. */
export function diskError(code: string, detail: string): Error {
  return Object.assign(new Error(`${code}: ${detail}`), { code });
}

export class MemoryDisk implements Disk {
  /** Decides the fate of every operation when it starts; undefined lets it be. Replace it at will. */
  fault: ((operation: DiskOperation) => DiskFault | undefined) | undefined;
  capacityBytes: number;
  readonly #schedule: (run: () => void, delayMs: number) => void;
  readonly #folders = new Set<string>(["/", "."]);
  #entries = new Map<string, DiskInode>();
  #durableEntries = new Map<string, DiskInode>();
  /** Changes of folders that are not durable, oldest first. */
  #changes: FolderChange[] = [];
  /** Writes that began and did not end. */
  readonly #underWay = new Set<{ inode: DiskInode; position: number; bytes: Buffer }>();
  /** Raised by a crash: what began before never completes. */
  #life = 0;
  #openFiles = 0;
  #usedBytes = 0;

  constructor(options: MemoryDiskOptions = {}) {
    this.#schedule = options.schedule ?? ((run) => queueMicrotask(run));
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Descriptors open now. */
  get openFiles(): number {
    return this.#openFiles;
  }

  /** All bytes of all files, as seen by running processes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * The disk as one process sees it: after a crash nothing that this view or its open files are asked for has an effect or
   * an end, so that code which does not know that it died does no harm. Used directly, the disk serves whoever comes.
   */
  attach(): Disk {
    const life = this.#life;
    const alive = <T>(run: () => Promise<T>): Promise<T> =>
      life === this.#life ? run() : new Promise(() => undefined);
    return {
      open: (file, options) => alive(() => this.open(file, options)),
      list: (directory) => alive(() => this.list(directory)),
      readFile: (file) => alive(() => this.readFile(file)),
      replaceFile: (file, content) => alive(() => this.replaceFile(file, content)),
      removeFile: (file) => alive(() => this.removeFile(file)),
      removeDirectory: (directory) => alive(() => this.removeDirectory(directory)),
      rename: (from, to) => alive(() => this.rename(from, to)),
      makeDirectory: (directory) => alive(() => this.makeDirectory(directory)),
      space: (directory) => alive(() => this.space(directory)),
    };
  }

  /** The machine or the process dies: nothing under way completes any more, open files are gone. */
  crash(options: CrashOptions): void {
    const random = options.random ?? (() => 0);
    for (const write of this.#underWay) {
      if (options.keepUnsynced !== "none") {
        const kept = Math.floor(random() * (write.bytes.length + 1));
        write.inode.write(write.position, write.bytes.subarray(0, kept));
      }
    }
    this.#underWay.clear();
    this.#life += 1;
    this.#openFiles = 0;
    if (options.keepUnsynced === "all") return this.#count();
    const keeps = options.keepUnsynced === "none" ? () => false : () => random() < 0.5;
    for (const change of this.#changes) if (keeps()) applyChange(this.#durableEntries, change);
    this.#changes = [];
    this.#entries = new Map(this.#durableEntries);
    const inodes = new Set(this.#entries.values());
    for (const inode of inodes) inode.losePower(keeps, options.tornWrites === true ? random : undefined);
    this.#count();
  }

  /** Damages a file behind everyone's back, on the device too. */
  damage(file: string, position: number, bytes: Buffer): void {
    this.#inode(normal(file)).damage(position, bytes);
  }

  /** What a process would read now; undefined when the file does not exist. */
  peek(file: string): Buffer | undefined {
    const inode = this.#entries.get(normal(file));
    return inode === undefined ? undefined : Buffer.from(inode.bytes);
  }

  open(file: string, options: { readonly create: boolean }): Promise<DiskFile> {
    const name = normal(file);
    return this.#run({ kind: "open", path: name, bytes: 0 }, () => {
      if (!this.#entries.has(name)) {
        if (!options.create) throw diskError("ENOENT", name);
        this.#makeFolders(path.dirname(name));
        this.#change({ path: name, inode: new DiskInode() });
      }
      this.#openFiles += 1;
      return this.#handle(name, this.#inode(name));
    });
  }

  list(directory: string): Promise<readonly string[]> {
    const folder = normal(directory);
    return this.#run({ kind: "list", path: folder, bytes: 0 }, () => {
      const names = new Set<string>();
      const prefix = folder === "/" ? "/" : `${folder}/`;
      for (const name of [...this.#entries.keys(), ...this.#folders]) {
        if (name.startsWith(prefix) && name !== folder) names.add(name.slice(prefix.length).split("/")[0] as string);
      }
      return [...names].sort();
    });
  }

  readFile(file: string): Promise<Buffer | undefined> {
    return this.#run({ kind: "read-file", path: normal(file), bytes: 0 }, () => this.peek(file));
  }

  replaceFile(file: string, content: Buffer): Promise<void> {
    const name = normal(file);
    const kept = Buffer.from(content);
    return this.#run({ kind: "replace-file", path: name, bytes: kept.length }, () => {
      if (this.#usedBytes + kept.length > this.capacityBytes) throw diskError("ENOSPC", name);
      this.#makeFolders(path.dirname(name));
      const inode = new DiskInode();
      inode.write(0, kept);
      inode.sync(inode.changeCount);
      this.#change({ path: name, inode });
      this.#syncFolder(path.dirname(name));
      this.#count();
    });
  }

  removeFile(file: string): Promise<void> {
    const name = normal(file);
    return this.#run({ kind: "remove-file", path: name, bytes: 0 }, () => {
      if (this.#entries.has(name)) this.#change({ path: name, inode: undefined });
      this.#count();
    });
  }

  removeDirectory(directory: string): Promise<void> {
    const folder = normal(directory);
    return this.#run({ kind: "remove-directory", path: folder, bytes: 0 }, () => {
      const prefix = `${folder}/`;
      for (const name of this.#entries.keys()) {
        if (name.startsWith(prefix)) this.#change({ path: name, inode: undefined });
      }
      for (const name of this.#folders) if (name === folder || name.startsWith(prefix)) this.#folders.delete(name);
      this.#count();
    });
  }

  rename(from: string, to: string): Promise<void> {
    const [source, target] = [normal(from), normal(to)];
    return this.#run({ kind: "rename", path: source, bytes: 0 }, () => {
      const inode = this.#inode(source);
      this.#change({ path: target, inode });
      this.#change({ path: source, inode: undefined });
      this.#count();
    });
  }

  makeDirectory(directory: string): Promise<void> {
    const folder = normal(directory);
    return this.#run({ kind: "make-directory", path: folder, bytes: 0 }, () => this.#makeFolders(folder));
  }

  space(directory: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return this.#run({ kind: "space", path: normal(directory), bytes: 0 }, () => {
      const totalBytes = Math.min(this.capacityBytes, Number.MAX_SAFE_INTEGER);
      return { totalBytes, freeBytes: Math.max(0, totalBytes - this.#usedBytes) };
    });
  }

  #handle(name: string, inode: DiskInode): DiskFile {
    const life = this.#life;
    const run = <T>(kind: DiskOperation["kind"], bytes: number, effect: () => T): Promise<T> =>
      life === this.#life ? this.#run({ kind, path: name, bytes }, effect) : new Promise(() => undefined);
    return {
      sizeAtOpen: inode.size,
      write: (position, buffers) =>
        life === this.#life ? this.#write(name, inode, position, Buffer.concat(buffers)) : new Promise(() => undefined),
      read: (position, target) => run("read", target.length, () => inode.read(position, target)),
      sync: () => {
        const count = inode.changeCount;
        return run("sync", 0, () => inode.sync(count));
      },
      truncate: (size) =>
        run("truncate", 0, () => {
          this.#usedBytes += size - inode.size;
          inode.truncate(size);
        }),
      close: () =>
        run("close", 0, () => {
          this.#openFiles -= 1;
        }),
    };
  }

  #write(name: string, inode: DiskInode, position: number, bytes: Buffer): Promise<void> {
    const write = { inode, position, bytes };
    this.#underWay.add(write);
    const put = (data: Buffer): void => {
      const grown = Math.max(0, position + data.length - inode.size);
      const room = Math.max(0, this.capacityBytes - this.#usedBytes);
      const fits = grown <= room ? data : data.subarray(0, data.length - grown + room);
      const before = inode.size;
      inode.write(position, fits);
      this.#usedBytes += inode.size - before;
      if (fits.length < data.length) throw diskError("ENOSPC", name);
    };
    const fail = (fault: Extract<DiskFault, { kind: "error" }>): void => {
      const written = bytes.subarray(0, fault.writtenBytes ?? 0);
      put(fault.garbage === undefined ? written : Buffer.concat([written, fault.garbage]));
    };
    const operation: DiskOperation = { kind: "write", path: name, bytes: bytes.length };
    return this.#run(operation, () => put(bytes), fail).finally(() => this.#underWay.delete(write));
  }

  #run<T>(
    operation: DiskOperation,
    effect: () => T,
    onError?: (fault: Extract<DiskFault, { kind: "error" }>) => void,
  ): Promise<T> {
    const life = this.#life;
    const fault = this.fault?.(operation);
    return new Promise((resolve, reject) => {
      if (fault?.kind === "stuck") return;
      const complete = (): void => {
        if (life !== this.#life) return;
        try {
          if (fault?.kind === "error") {
            onError?.(fault);
            throw diskError(fault.code, operation.path);
          }
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      };
      this.#schedule(complete, fault?.kind === "delay" ? fault.ms : 0);
    });
  }

  #inode(name: string): DiskInode {
    const inode = this.#entries.get(name);
    if (inode === undefined) throw diskError("ENOENT", name);
    return inode;
  }

  #change(change: FolderChange): void {
    applyChange(this.#entries, change);
    this.#changes.push(change);
  }

  #syncFolder(folder: string): void {
    const left: FolderChange[] = [];
    for (const change of this.#changes) {
      if (path.dirname(change.path) === folder) applyChange(this.#durableEntries, change);
      else left.push(change);
    }
    this.#changes = left;
  }

  #makeFolders(folder: string): void {
    for (let each = folder; !this.#folders.has(each); each = path.dirname(each)) this.#folders.add(each);
  }

  #count(): void {
    this.#usedBytes = 0;
    for (const inode of new Set(this.#entries.values())) this.#usedBytes += inode.size;
  }
}

function applyChange(entries: Map<string, DiskInode>, change: FolderChange): void {
  if (change.inode === undefined) entries.delete(change.path);
  else entries.set(change.path, change.inode);
}

function normal(name: string): string {
  const short = path.posix.normalize(name);
  return short.length > 1 && short.endsWith("/") ? short.slice(0, -1) : short;
}
