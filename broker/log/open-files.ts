/**
 * Open segment files, broker-wide: few descriptors for many thousand partitions. A file is opened when it is used and
 * closed, the least recently used first, when another needs its place. When all are in use the next one waits its turn.
 *
 * Nobody may hold one file while waiting for another: that could wait for ever.
 */
import assert from "node:assert/strict";
import type { Disk, DiskFile } from "../../shared/ports/disk.ts";
import { openFilesMax } from "./limits.ts";

/** One file that may be open. Made by the owner of the file, handed to every `acquire` of it. */
export class FileSlot {
  readonly path: string;
  /** Open now; kept by `OpenFiles` alone. */
  file: DiskFile | undefined = undefined;
  /** Who works with it now. */
  users = 0;
  /** The one opening that all who wait share. */
  opening: Promise<DiskFile> | undefined = undefined;
  /** No more to be opened: its owner removed the file or closed the log. */
  retired = false;

  constructor(path: string) {
    this.path = path;
  }
}

/** The file was removed (retention, truncation) or its log closed while somebody wanted to read it. */
export class FileRetiredError extends Error {
  override readonly name = "FileRetiredError";
  readonly code = "FILE_RETIRED";
}

export class OpenFiles {
  readonly #disk: Disk;
  readonly #filesMax: number;
  /** Open and idle, least recently used first. */
  readonly #idle = new Set<FileSlot>();
  /** Waiting for a place. */
  readonly #waiting: (() => void)[] = [];
  /** Open, opening or closing. */
  #places = 0;

  constructor(disk: Disk, filesMax = openFilesMax) {
    this.#disk = disk;
    this.#filesMax = filesMax;
  }

  /** Files open, opening or closing now. */
  get openCount(): number {
    return this.#places;
  }

  /**
   * The open file, at once if it is open already. `create`: make it when it does not exist. Every `acquire` that did not
   * fail is followed by one `release`.
   */
  acquire(slot: FileSlot, create: boolean): DiskFile | Promise<DiskFile> {
    const file = slot.file;
    if (file === undefined || slot.retired) return this.#open(slot, create);
    if (slot.users === 0) this.#idle.delete(slot);
    slot.users += 1;
    return file;
  }

  release(slot: FileSlot): void {
    assert(slot.users > 0, "a file is released as often as acquired");
    slot.users -= 1;
    if (slot.users > 0 || slot.file === undefined) return;
    if (slot.retired) {
      void this.#close(slot);
      return;
    }
    this.#idle.add(slot);
    if (this.#waiting.length > 0) this.#closeIdle();
  }

  /** Ends the use of a file: closes it now, or when the last who works with it releases it. */
  async retire(slot: FileSlot): Promise<void> {
    slot.retired = true;
    if (slot.opening !== undefined) await slot.opening.catch(() => undefined);
    if (slot.users === 0 && slot.file !== undefined) {
      this.#idle.delete(slot);
      await this.#close(slot);
    }
  }

  async #open(slot: FileSlot, create: boolean): Promise<DiskFile> {
    if (slot.retired) throw new FileRetiredError(`${slot.path} is no longer part of the log`);
    slot.users += 1;
    try {
      slot.opening ??= this.#openOnce(slot, create).finally(() => {
        slot.opening = undefined;
      });
      return await slot.opening;
    } catch (error) {
      slot.users -= 1;
      throw error;
    }
  }

  async #openOnce(slot: FileSlot, create: boolean): Promise<DiskFile> {
    if (this.#places >= this.#filesMax) {
      this.#closeIdle();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#places += 1;
    }
    try {
      slot.file = await this.#disk.open(slot.path, { create });
      return slot.file;
    } catch (error) {
      this.#freePlace();
      throw error;
    }
  }

  #closeIdle(): void {
    for (const slot of this.#idle) {
      this.#idle.delete(slot);
      void this.#close(slot);
      return;
    }
  }

  /** Closes an idle file. An error of closing loses nothing: what was written is in the page cache, syncs report theirs. */
  #close(slot: FileSlot): Promise<void> {
    const file = slot.file;
    slot.file = undefined;
    assert(file !== undefined, "only an open file is closed");
    return file
      .close()
      .catch(() => undefined)
      .then(() => this.#freePlace());
  }

  /** Hands the place on to who waits longest. */
  #freePlace(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#places -= 1;
    else next();
  }
}

/** Works with an open file and gives it back, also when the work fails. */
export async function withFile<T>(
  files: OpenFiles,
  slot: FileSlot,
  options: { readonly create: boolean },
  work: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await files.acquire(slot, options.create);
  try {
    return await work(file);
  } finally {
    files.release(slot);
  }
}
