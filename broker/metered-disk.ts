import type { Clock } from "../shared/ports/clock.ts";
import type { Disk, DiskFile } from "../shared/ports/disk.ts";
import type { Counter, Histogram, Metrics } from "../shared/telemetry/metrics.ts";
import { diskWithFiles } from "./disk-with-files.ts";

interface DiskMeters {
  readonly clock: Clock;
  readonly writes: Histogram;
  readonly syncs: Histogram;
  readonly failures: Readonly<Record<"read" | "write" | "sync", Counter>>;
}

/** A disk whose files count how long writes and syncs take, and what fails. */
export function meteredDisk(disk: Disk, clock: Clock, metrics: Metrics): Disk {
  const meters: DiskMeters = {
    clock,
    writes: metrics.histogram("logAppendLatency", {}),
    syncs: metrics.histogram("logSyncLatency", {}),
    failures: {
      read: metrics.counter("logFailures", { operation: "read" }),
      write: metrics.counter("logFailures", { operation: "write" }),
      sync: metrics.counter("logFailures", { operation: "sync" }),
    },
  };
  return diskWithFiles(disk, (file) => new MeteredFile(file, meters));
}

class MeteredFile implements DiskFile {
  readonly sizeAtOpen: number;
  readonly #file: DiskFile;
  readonly #meters: DiskMeters;

  constructor(file: DiskFile, meters: DiskMeters) {
    this.sizeAtOpen = file.sizeAtOpen;
    this.#file = file;
    this.#meters = meters;
  }

  write(position: number, buffers: readonly Buffer[]): Promise<void> {
    return this.#timed(this.#file.write(position, buffers), this.#meters.writes, "write");
  }

  async read(position: number, target: Buffer): Promise<number> {
    try {
      return await this.#file.read(position, target);
    } catch (error) {
      this.#meters.failures.read.add(1);
      throw error;
    }
  }

  sync(): Promise<void> {
    return this.#timed(this.#file.sync(), this.#meters.syncs, "sync");
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #timed(work: Promise<void>, histogram: Histogram, operation: "write" | "sync"): Promise<void> {
    const startedMs = this.#meters.clock.monotonicMs();
    try {
      await work;
    } catch (error) {
      this.#meters.failures[operation].add(1);
      throw error;
    }
    histogram.observe((this.#meters.clock.monotonicMs() - startedMs) / 1_000);
  }
}
