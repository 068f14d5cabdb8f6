/**
 * The one door to the local file system for the log, replica state and identity files.
 *
 * Written means: in the operating system's page cache, so it survives the death of the process. Synced means: on the
 * device, so it survives the loss of power. Every failure rejects with an `Error` whose `code` is the system's
 * (`ENOSPC`, `EIO`, `ENOENT`, …); nothing is retried in here.
 */
export interface Disk {
  /** Opens for reading and writing. `create`: make the file (and parent folders) if it does not exist. */
  open(path: string, options: { readonly create: boolean }): Promise<DiskFile>;
  /** Names (not paths) inside a folder, sorted; empty when the folder does not exist. */
  list(directory: string): Promise<readonly string[]>;
  /** The whole of a small file, or undefined when it does not exist. */
  readFile(path: string): Promise<Buffer | undefined>;
  /** Replaces a small file in one step: write aside, sync, rename, sync the folder. Old or new, never half. */
  replaceFile(path: string, content: Buffer): Promise<void>;
  /** Removes a file; one that does not exist is no error. */
  removeFile(path: string): Promise<void>;
  /** Removes a folder and all in it; one that does not exist is no error. */
  removeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Bytes of the volume under `path`: whole and free. */
  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>;
}

export interface DiskFile {
  /** Size in bytes when opened; afterwards the writer keeps count itself. */
  readonly sizeAtOpen: number;
  /**
   * Writes all buffers, in order, at `position`; resolves when written (not synced). The caller never starts two writes
   * to overlapping ranges and must not change the buffers until it resolves. A rejected write may be written in part.
   */
  write(position: number, buffers: readonly Buffer[]): Promise<void>;
  /** Reads into `target` from `position`; resolves with the number of bytes read, less than asked only at end of file. */
  read(position: number, target: Buffer): Promise<number>;
  /** Makes all that was written before this call survive a loss of power (fdatasync). */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}
