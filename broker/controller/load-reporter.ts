import type { ControlStore } from "../../shared/control/control-store.ts";
import { type CellLoadItem, cellLoadKind } from "../../shared/control/items/cell-load-item.ts";
import { bytesPerSecondPerBrokerMax, loadIntervalMs, replicasPerBrokerMax } from "../../shared/control/limits.ts";
import type { MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";

/** How busy this broker's process has been since the last call. */
export interface LoadSample {
  /** Share of the time in which its event loop was at work. */
  readonly busy: number;
  /** Records in and out. */
  readonly bytes: number;
}

export interface LoadReporterPorts {
  readonly cell: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: ControlStore;
  /** Whether this broker is its cell's controller. */
  inOffice(): boolean;
  image(): MetadataImage;
  sample(): LoadSample;
}

/**
 * The controller writes how full its cell is, so that new logical clusters are placed where there is room. It takes its
 * own broker for the mean of the cell's: leaderships are spread evenly. Replicas are counted exactly.
 */
export class LoadReporter {
  readonly #ports: LoadReporterPorts;
  #lastMs: number;
  #cancel: CancelTimer | undefined;
  #stopped = false;

  constructor(ports: LoadReporterPorts) {
    this.#ports = ports;
    this.#lastMs = ports.clock.monotonicMs();
  }

  start(): void {
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #plan(): void {
    this.#cancel = this.#ports.timers.after(loadIntervalMs, () => {
      void this.#report().then(() => {
        if (!this.#stopped) this.#plan();
      });
    });
  }

  async #report(): Promise<void> {
    const { cell, clock, store, logger } = this.#ports;
    const nowMs = clock.monotonicMs();
    const { busy, bytes } = this.#ports.sample();
    const seconds = Math.max(1, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    if (!this.#ports.inOffice()) return;
    const item = loadOf(this.#ports.image(), { cell, atMs: clock.wallMs(), busy, bytesPerSecond: bytes / seconds });
    try {
      await store.put(cellLoadKind, item);
    } catch (error) {
      // Placement goes by what was written last, and by other cells once that is old.
      logger.warn("cell-load-not-written", { error });
    }
  }
}

/** The cell's load, from the image and what one broker saw. */
export function loadOf(
  image: MetadataImage,
  seen: { readonly cell: string; readonly atMs: number; readonly busy: number; readonly bytesPerSecond: number },
): CellLoadItem {
  const brokers = Math.max(1, image.brokers.size);
  let replicas = 0;
  for (const { partitions } of image.topics.values()) {
    for (const { voters, learners } of partitions) replicas += voters.length + learners.length;
  }
  return {
    cell: seen.cell,
    atMs: seen.atMs,
    meanBrokerLoad: rounded(seen.busy),
    replicaUtilization: rounded(replicas / (brokers * replicasPerBrokerMax)),
    bandwidthUtilization: rounded(seen.bytesPerSecond / bytesPerSecondPerBrokerMax),
  };
}

/** Four digits: more would only make noise. */
function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}
