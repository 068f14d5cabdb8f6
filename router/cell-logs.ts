import { MetadataFollower, type MetadataFollowerOptions } from "../shared/metadata/follower/metadata-follower.ts";
import type { MetadataImage } from "../shared/metadata/image/metadata-image.ts";
import type { CancelTimer, Timers } from "../shared/ports/timers.ts";
import { loadRetryMs, refreshWaitMs, unknownNameRefreshMs } from "./limits.ts";

export interface CellLogsOptions {
  readonly followers: readonly Omit<MetadataFollowerOptions, "timers">[];
  readonly timers: Timers;
  /** A log can be followed no more (an entry of a newer build, a damaged log): routing goes on with what is known. */
  onStopped(cell: string, message: string): void;
}

/** The metadata logs of all cells, followed. */
export class CellLogs {
  readonly #timers: Timers;
  readonly #followers = new Map<string, MetadataFollower>();
  readonly #cancels = new Set<CancelTimer>();
  #stopped = false;
  #nextRefresh: Promise<void> | undefined;
  #halted = false;

  constructor(options: CellLogsOptions) {
    this.#timers = options.timers;
    for (const each of options.followers) {
      const follower = new MetadataFollower({ ...each, timers: options.timers });
      follower.onStopped((message) => {
        if (this.#stopped) return;
        this.#halted = true;
        options.onStopped(each.cell, message);
      });
      this.#followers.set(each.cell, follower);
    }
  }

  get images(): readonly MetadataImage[] {
    return [...this.#followers.values()].map(({ image }) => image);
  }

  image(cell: string): MetadataImage | undefined {
    return this.#followers.get(cell)?.image;
  }

  /** Whether a log is followed no more. */
  get halted(): boolean {
    return this.#halted;
  }

  /** Seconds since the store confirmed the newest entry of each cell's log. */
  unconfirmedSeconds(cell: string): number {
    return (this.#followers.get(cell)?.unconfirmedMs ?? 0) / 1_000;
  }

  get cells(): readonly string[] {
    return [...this.#followers.keys()];
  }

  /** Resolves when all logs have been read once; tries until then. */
  async start(): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => this.#load(follower)));
  }

  /** Looks at the log of one cell now; waits for it only as long as an answer should take. */
  refresh(cell: string): Promise<void> {
    const follower = this.#followers.get(cell);
    return follower === undefined ? Promise.resolve() : this.#atMost(follower.refresh());
  }

  /**
   * Looks at all logs, but no more often than `unknownNameRefreshMs`: whoever comes meanwhile waits for the next look,
   * together with the others.
   */
  refreshAll(): Promise<void> {
    this.#nextRefresh ??= this.#wait(unknownNameRefreshMs).then(() => {
      this.#nextRefresh = undefined;
      return this.#atMost(Promise.all([...this.#followers.values()].map((follower) => follower.refresh())));
    });
    return this.#nextRefresh;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const follower of this.#followers.values()) follower.stop();
  }

  async #load(follower: MetadataFollower): Promise<void> {
    while (!this.#stopped && follower.stopped === undefined) {
      if ((await follower.start()).kind === "started") return;
      await this.#wait(loadRetryMs);
    }
    // Without it nobody could be routed to that cell, and health would never say so.
    if (!this.#stopped) throw new Error(follower.stopped);
  }

  async #atMost(looked: Promise<unknown>): Promise<void> {
    await Promise.race([looked, this.#wait(refreshWaitMs)]);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(ms, () => {
        this.#cancels.delete(cancel);
        resolve();
      });
      this.#cancels.add(cancel);
    });
  }
}
