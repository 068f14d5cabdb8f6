import type { Timers } from "../shared/ports/timers.ts";
import type { DataLayout } from "./data-directory.ts";
import { runFileRetryMs } from "./limits.ts";
import { type RunFile, writeRunFile } from "./run-file.ts";

export interface RunFileKeeperOptions {
  readonly layout: DataLayout;
  readonly timers: Timers;
  readonly say: (message: string) => void;
  /** The cloud as it is now; undefined while there is nothing for the other commands to act on. */
  readonly describe: () => RunFile | undefined;
}

/**
 * Keeps `run.json` as the cloud is. A disk that is full must not end the cloud whose brokers live with it: the file
 * stays as it was, and is tried again.
 */
export class RunFileKeeper {
  readonly #options: RunFileKeeperOptions;
  /** Not since the file was last written. */
  #told = false;
  #retrying = false;

  constructor(options: RunFileKeeperOptions) {
    this.#options = options;
  }

  /** Call it at each change. */
  write(): void {
    const { layout, timers, say, describe } = this.#options;
    const run = describe();
    if (run === undefined) return;
    try {
      writeRunFile(layout, run);
      this.#told = false;
    } catch (error) {
      if (!this.#told) say(`${layout.runFile} is not up to date, and is tried again: ${String(error)}`);
      this.#told = true;
      if (this.#retrying) return;
      this.#retrying = true;
      timers.after(runFileRetryMs, () => {
        this.#retrying = false;
        this.write();
      });
    }
  }
}
