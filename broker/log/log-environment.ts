/** What all logs of one broker share. */
import type { Clock } from "../../shared/ports/clock.ts";
import type { Disk } from "../../shared/ports/disk.ts";
import { unwrittenBytesMax, writesInFlightMax } from "./limits.ts";
import { OpenFiles } from "./open-files.ts";
import { SegmentIndexes } from "./segment-indexes.ts";
import { TailCache } from "./tail-cache.ts";
import { WriteSlots } from "./write-slots.ts";

export interface LogEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly files: OpenFiles;
  readonly writes: WriteSlots;
  readonly indexes: SegmentIndexes;
  readonly tails: TailCache;
}

/** One for the process. The limits default to those of `limits.ts`. */
export function makeLogEnvironment(
  disk: Disk,
  clock: Clock,
  limits: {
    readonly openFilesMax?: number | undefined;
    readonly tailBytesMax?: number | undefined;
    readonly indexBytesMax?: number | undefined;
  } = {},
): LogEnvironment {
  const files = new OpenFiles(disk, limits.openFilesMax);
  return {
    disk,
    clock,
    files,
    writes: new WriteSlots(clock, { slots: writesInFlightMax, unwrittenBytesMax }),
    indexes: new SegmentIndexes(disk, files, limits.indexBytesMax),
    tails: new TailCache(limits.tailBytesMax),
  };
}
