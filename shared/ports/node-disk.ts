/**
 * The Disk port on Node's `fs`. The callback functions are used, not `fs/promises`: a write costs a third less.
 *
 * A folder entry (a file made, renamed or removed) survives a power loss once its folder is synced, which `replaceFile`
 * and the making of folders do here.
 */
import fs from "node:fs";
import path from "node:path";
import type { Disk, DiskFile } from "./disk.ts";

type Done = (error: NodeJS.ErrnoException | null) => void;

/** Runs one callback operation as a promise. */
function done(start: (callback: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

function given<T>(start: (callback: (error: NodeJS.ErrnoException | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null || error === undefined ? resolve(value) : reject(error)));
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Small files read or replaced at once, over the whole process: each holds a descriptor for several turns of the event
 * loop, and opening 20,000 logs at once must not need 20,000 of them.
 */
const smallFilesMax = 64;

/** Lets a few operations run at once; the others wait in line. */
class Gate {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async pass<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** `IOV_MAX` of Linux: more buffers are written in several calls. */
const vectorMax = 1024;

class NodeDiskFile implements DiskFile {
  readonly sizeAtOpen: number;
  readonly #descriptor: number;
  /** A cut changes metadata that fdatasync need not write; the sync after it is a whole one. */
  #wasCut = false;

  constructor(descriptor: number, sizeAtOpen: number) {
    this.#descriptor = descriptor;
    this.sizeAtOpen = sizeAtOpen;
  }

  write(position: number, buffers: readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(position, buffers, 0, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Writes `buffers` from `index` on; goes on by itself after a short write and past the vector's bound. */
  #write(position: number, buffers: readonly Buffer[], index: number, callback: Done): void {
    const first = buffers[index];
    if (first === undefined) return callback(null);
    const whole = index === 0 && buffers.length <= vectorMax;
    const vector = whole ? buffers : buffers.slice(index, index + vectorMax);
    const after = (error: NodeJS.ErrnoException | null, written: number): void => {
      if (error !== null && error !== undefined) return callback(error);
      const rest = afterBytes(vector, written);
      const next = index + vector.length;
      if (rest.length === 0) return this.#write(position + written, buffers, next, callback);
      if (written === 0) return callback(Object.assign(new Error("the write made no progress"), { code: "EIO" }));
      this.#write(position + written, [...rest, ...buffers.slice(next)], 0, callback);
    };
    if (vector.length === 1) fs.write(this.#descriptor, first, 0, first.length, position, after);
    else fs.writev(this.#descriptor, vector, position, after);
  }

  async read(position: number, target: Buffer): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const from = filled;
      const got = await given<number>((callback) =>
        fs.read(this.#descriptor, target, from, target.length - from, position + from, callback),
      );
      if (got === 0) break;
      filled += got;
    }
    return filled;
  }

  async sync(): Promise<void> {
    if (!this.#wasCut) return done((callback) => fs.fdatasync(this.#descriptor, callback));
    await done((callback) => fs.fsync(this.#descriptor, callback));
    this.#wasCut = false;
  }

  async truncate(size: number): Promise<void> {
    this.#wasCut = true;
    await done((callback) => fs.ftruncate(this.#descriptor, size, callback));
  }

  close(): Promise<void> {
    return done((callback) => fs.close(this.#descriptor, callback));
  }
}

/** What is left of a vector after its first `count` bytes. */
function afterBytes(buffers: readonly Buffer[], count: number): readonly Buffer[] {
  let left = count;
  for (let index = 0; index < buffers.length; index += 1) {
    const buffer = buffers[index] as Buffer;
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
  }
  return [];
}

/** Makes what changed in a folder survive a power loss. */
async function syncDirectory(directory: string): Promise<void> {
  const descriptor = await given<number>((callback) => fs.open(directory, "r", callback));
  try {
    await done((callback) => fs.fsync(descriptor, callback));
  } finally {
    await done((callback) => fs.close(descriptor, callback));
  }
}

async function openNow(file: string, flags: number): Promise<DiskFile> {
  const descriptor = await given<number>((callback) => fs.open(file, flags, 0o640, callback));
  try {
    const { size } = await given<fs.Stats>((callback) => fs.fstat(descriptor, callback));
    return new NodeDiskFile(descriptor, size);
  } catch (error) {
    await done((callback) => fs.close(descriptor, callback));
    throw error;
  }
}

async function makeDirectory(directory: string): Promise<void> {
  const first = await given<string | undefined>((callback) => fs.mkdir(directory, { recursive: true }, callback));
  if (first === undefined) return;
  const made = path.resolve(first);
  for (let child = path.resolve(directory); ; child = path.dirname(child)) {
    await syncDirectory(path.dirname(child));
    if (child === made) return;
  }
}

class NodeDisk implements Disk {
  readonly #smallFiles = new Gate(smallFilesMax);

  async open(file: string, options: { readonly create: boolean }): Promise<DiskFile> {
    if (!options.create) return openNow(file, fs.constants.O_RDWR);
    const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
    try {
      return await openNow(file, flags);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
    await makeDirectory(path.dirname(file));
    return openNow(file, flags);
  }

  async list(directory: string): Promise<readonly string[]> {
    try {
      return (await given<string[]>((callback) => fs.readdir(directory, callback))).sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  async readFile(file: string): Promise<Buffer | undefined> {
    try {
      return await this.#smallFiles.pass(() => given<Buffer>((callback) => fs.readFile(file, callback)));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  replaceFile(file: string, content: Buffer): Promise<void> {
    return this.#smallFiles.pass(() => this.#replaceFile(file, content));
  }

  async #replaceFile(file: string, content: Buffer): Promise<void> {
    const aside = `${file}.new`;
    const handle = await this.open(aside, { create: true });
    try {
      if (handle.sizeAtOpen > content.length) await handle.truncate(content.length);
      await handle.write(0, [content]);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await this.rename(aside, file);
    await syncDirectory(path.dirname(file));
  }

  async removeFile(file: string): Promise<void> {
    try {
      await done((callback) => fs.unlink(file, callback));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }

  removeDirectory(directory: string): Promise<void> {
    return done((callback) => fs.rm(directory, { recursive: true, force: true }, callback));
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => fs.rename(from, to, callback));
  }

  makeDirectory(directory: string): Promise<void> {
    return makeDirectory(directory);
  }

  async space(directory: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    const stats = await given<fs.StatsFs>((callback) => fs.statfs(directory, callback));
    return { totalBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize };
  }
}

export const nodeDisk: Disk = new NodeDisk();
