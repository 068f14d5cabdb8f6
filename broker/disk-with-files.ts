import type { Disk, DiskFile } from "../shared/ports/disk.ts";

/** The same disk, each of whose files is opened as `wrap` makes it. */
export function diskWithFiles(disk: Disk, wrap: (file: DiskFile) => DiskFile): Disk {
  return {
    open: async (path, options) => wrap(await disk.open(path, options)),
    list: (directory) => disk.list(directory),
    readFile: (path) => disk.readFile(path),
    replaceFile: (path, content) => disk.replaceFile(path, content),
    removeFile: (path) => disk.removeFile(path),
    removeDirectory: (path) => disk.removeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    makeDirectory: (path) => disk.makeDirectory(path),
    space: (path) => disk.space(path),
  };
}
