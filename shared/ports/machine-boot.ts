import { readFile } from "node:fs/promises";
import os from "node:os";

const bootIdFile = "/proc/sys/kernel/random/boot_id";
/** Boot times computed from the uptime wander a little with the clock. */
const bootTimeGrainSeconds = 600;

/**
 * Names this run of the machine: as long as it is the same, what was written to the page cache is still there. Linux
 * tells it; elsewhere it is made of the time of the boot, and a clock that was set may make it look new (which is safe).
 */
export async function machineBootId(): Promise<string> {
  try {
    return (await readFile(bootIdFile, "utf8")).trim();
  } catch {
    const bootSeconds = Date.now() / 1000 - os.uptime();
    return `boot-${Math.round(bootSeconds / bootTimeGrainSeconds)}`;
  }
}
