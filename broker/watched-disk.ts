import type { Disk, DiskFile } from "../shared/ports/disk.ts";
import { diskWithFiles } from "./disk-with-files.ts";

/**
 * The same disk, telling when a file could not be synced. The operating system then takes what it could not write for
 * written, so that a later sync says nothing of it: the page cache has it, and a loss of power takes it.
 */
export function watchedDisk(disk: Disk, onSyncFailed: () => void): Disk {
  return diskWithFiles(disk, (file) => watchedFile(file, onSyncFailed));
}

function watchedFile(file: DiskFile, onSyncFailed: () => void): DiskFile {
  return {
    sizeAtOpen: file.sizeAtOpen,
    write: (position, buffers) => file.write(position, buffers),
    read: (position, target) => file.read(position, target),
    sync: async () => {
      try {
        await file.sync();
      } catch (error) {
        onSyncFailed();
        throw error;
      }
    },
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  };
}
