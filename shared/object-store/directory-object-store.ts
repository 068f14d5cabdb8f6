/**
 * Objects as files of one directory, for a cell on one machine. Several processes may use it at once: an object appears
 * whole or not at all (written aside, synced, then linked or renamed into place), and of several that put `ifAbsent` one
 * wins. A key is a path, so a key cannot be the folder of another one (`a` beside `a/b`).
 */
import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { StoreFailure } from "../item-store/item-store.ts";
import { listPageKeysMax } from "./limits.ts";
import { keyFault } from "./object-key.ts";
import type { ObjectGetResult, ObjectListResult, ObjectStore, ObjectWriteResult } from "./object-store.ts";

/** Where objects are written before they have their name. No key can begin so: it starts with a character keys lack. */
const asideDirectory = "~aside";

export class DirectoryObjectStore implements ObjectStore {
  readonly #root: string;

  /** The directory is made with the first object. */
  constructor(root: string) {
    this.#root = root;
  }

  async put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    const fault = keyFault(key);
    if (fault !== undefined) {
      return { kind: "invalid", message: fault };
    }
    const target = path.join(this.#root, key);
    const aside = path.join(this.#root, asideDirectory, randomUUID());
    try {
      await mkdir(path.dirname(aside), { recursive: true });
      await makeDurableDirectory(path.dirname(target));
      await writeSynced(aside, body);
      await (options.ifAbsent ? link(aside, target) : rename(aside, target));
      await syncDirectory(path.dirname(target));
      return { kind: "done" };
    } catch (error) {
      return codeOf(error) === "EEXIST" ? { kind: "conflict" } : writeFailure(error);
    } finally {
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }

  async get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    if (keyFault(key) !== undefined) {
      return { kind: "absent" };
    }
    try {
      await using file = await open(path.join(this.#root, key), "r");
      const { size } = await file.stat();
      const start = Math.min(range?.start ?? 0, size);
      const end = Math.max(start, Math.min(range?.end ?? size, size));
      const body = Buffer.allocUnsafe(end - start);
      let filled = 0;
      while (filled < body.length) {
        const { bytesRead } = await file.read(body, filled, body.length - filled, start + filled);
        if (bytesRead === 0) {
          throw new Error(`object ${key} ended at ${start + filled} of ${size}`);
        }
        filled += bytesRead;
      }
      return { kind: "found", body, totalBytes: size };
    } catch (error) {
      return isAbsent(error) ? { kind: "absent" } : { kind: "unavailable", message: messageOf(error) };
    }
  }

  async list(prefix: string, startAfter = ""): Promise<ObjectListResult> {
    // The folder that all keys with this prefix lie in.
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const keys: string[] = [];
    try {
      for await (const key of walk(this.#root, folder, startAfter)) {
        if (key.startsWith(prefix) && byBytes(key, startAfter) > 0) {
          if (keys.length === listPageKeysMax) {
            return { kind: "page", keys, more: true };
          }
          keys.push(key);
        }
      }
      return { kind: "page", keys, more: false };
    } catch (error) {
      return { kind: "unavailable", message: messageOf(error) };
    }
  }

  async delete(key: string): Promise<ObjectWriteResult> {
    if (keyFault(key) !== undefined) {
      return { kind: "done" };
    }
    const target = path.join(this.#root, key);
    try {
      await rm(target);
      await syncDirectory(path.dirname(target));
      return { kind: "done" };
    } catch (error) {
      return isAbsent(error) ? { kind: "done" } : writeFailure(error);
    }
  }
}

/** Keys below a folder (`""` or ending with a slash) in the order of their bytes, without folders that end before `after`. */
async function* walk(root: string, folder: string, after: string): AsyncGenerator<string> {
  const entries = await entriesOf(path.join(root, folder));
  const names = entries
    .filter((entry) => entry.name !== asideDirectory)
    .map((entry) => (entry.isDirectory() ? `${folder}${entry.name}/` : `${folder}${entry.name}`))
    .sort(byBytes);
  for (const name of names) {
    if (!name.endsWith("/")) {
      yield name;
    } else if (after.startsWith(name) || byBytes(name, after) > 0) {
      yield* walk(root, name, after);
    }
  }
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) {
      return [];
    }
    throw error;
  }
}

async function writeSynced(file: string, body: Buffer): Promise<void> {
  await using handle = await open(file, "wx");
  await handle.writeFile(body);
  await handle.sync();
}

/** A folder that was just made must survive as well: its parent is synced, up to one that was there. */
async function makeDurableDirectory(directory: string): Promise<void> {
  const firstMade = await mkdir(directory, { recursive: true });
  if (firstMade === undefined) {
    return;
  }
  for (let made = directory; made.length >= firstMade.length; made = path.dirname(made)) {
    await syncDirectory(path.dirname(made));
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, "r");
  await handle.sync();
}

/** The file system says that it did not write; after another failure the object may be there or not. */
const notDoneCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EMFILE", "ENFILE"]);

function writeFailure(error: unknown): StoreFailure {
  const code = codeOf(error) ?? "";
  if (code === "ENOTDIR" || code === "EISDIR") {
    return { kind: "invalid", message: `a key is the folder of another one: ${messageOf(error)}` };
  }
  return { kind: notDoneCodes.has(code) ? "unavailable" : "unknown", message: messageOf(error) };
}

function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR", "ERR_FS_EISDIR"].includes(codeOf(error) ?? "");
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "string" ? code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
