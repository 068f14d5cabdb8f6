import type { Timers } from "../../shared/ports/timers.ts";
import { logLinesShown, storeReadyMsMax, storeRestartMs, storeStopMsMax } from "../limits.ts";
import { type Child, type ChildProgram, startChild } from "./child.ts";
import type { RotatingLog } from "./rotating-log.ts";

export interface StoreSupervisorOptions {
  readonly program: ChildProgram;
  readonly log: RotatingLog;
  readonly timers: Timers;
  readonly say: (message: string) => void;
}

/** Keeps the embedded store running until `stop`: brokers go on while it is away, but metadata cannot change. */
export class StoreSupervisor {
  readonly #options: StoreSupervisorOptions;
  #child: Child | undefined;
  #stopping = false;
  #ended = Promise.withResolvers<void>();

  constructor(options: StoreSupervisorOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it serves; rejects with the end of its log when it does not. */
  async start(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(storeReadyMsMax, () => {
      ready.reject(new Error(`the store does not serve after ${storeReadyMsMax / 1000} s`));
    });
    this.#ended = Promise.withResolvers();
    let served = false;
    this.#child = startChild(this.#options.program, this.#options.log, {
      onLine: (line) => {
        served = line["event"] === "ready";
        if (served) ready.resolve();
      },
      onExit: (how) => {
        this.#child = undefined;
        this.#ended.resolve();
        if (served && !this.#stopping) this.#startAgain(how);
        else ready.reject(new Error(`the store ended (${how}):\n${this.#options.log.tail(logLinesShown).join("\n")}`));
      },
    });
    try {
      await ready.promise;
    } finally {
      cancel();
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child === undefined) return;
    this.#child.signal("SIGTERM");
    const cancel = this.#options.timers.after(storeStopMsMax, () => this.#child?.signal("SIGKILL"));
    await this.#ended.promise;
    cancel();
  }

  forceEnd(): void {
    this.#stopping = true;
    this.#child?.signal("SIGKILL");
  }

  #startAgain(how: string): void {
    this.#options.say(`the store ended (${how}); starting it again`);
    this.#options.timers.after(storeRestartMs, () => {
      if (this.#stopping) return;
      this.start().catch((error: unknown) => {
        this.#options.say(String(error));
        if (!this.#stopping) this.#startAgain("it did not serve");
      });
    });
  }
}
