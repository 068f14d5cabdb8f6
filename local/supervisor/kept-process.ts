import type { Timers } from "../../shared/ports/timers.ts";
import { keptProcessRestartMs, logLinesShown } from "../limits.ts";
import { type Child, type ChildProgram, startChild } from "./child.ts";
import type { RotatingLog } from "./rotating-log.ts";

/** The process did not come to serve; the message, with the end of its log, is for the person who started it. */
export class KeptProcessError extends Error {
  readonly code = "KEPT_PROCESS";
  constructor(message: string) {
    super(message);
    this.name = "KeptProcessError";
  }
}

export interface KeptProcessOptions {
  /** `the store`: begins a sentence for a person. */
  readonly name: string;
  /** A start that takes longer has failed. */
  readonly readyMsMax: number;
  /** An end that takes longer is hurried by a kill. */
  readonly stopMsMax: number;
  readonly program: ChildProgram;
  readonly log: RotatingLog;
  readonly timers: Timers;
  readonly say: (message: string) => void;
}

/** Keeps a process that the cell can do without for a moment (the embedded store, the router) running until `stop`. */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  #child: Child | undefined;
  #stopping = false;
  #ended = Promise.withResolvers<void>();

  constructor(options: KeptProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it serves; rejects with a `KeptProcessError` when it does not. */
  async start(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const { name, readyMsMax } = this.#options;
    const cancel = this.#options.timers.after(readyMsMax, () => {
      ready.reject(new KeptProcessError(`${name} does not serve after ${readyMsMax / 1000} s`));
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
        else {
          const logged = this.#options.log.tail(logLinesShown).join("\n");
          ready.reject(new KeptProcessError(`${name} ended (${how})${logged === "" ? "" : `:\n${logged}`}`));
        }
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
    const cancel = this.#options.timers.after(this.#options.stopMsMax, () => this.#child?.signal("SIGKILL"));
    await this.#ended.promise;
    cancel();
  }

  forceEnd(): void {
    this.#stopping = true;
    this.#child?.signal("SIGKILL");
  }

  #startAgain(how: string): void {
    this.#options.say(`${this.#options.name} ended (${how}); starting it again`);
    this.#options.timers.after(keptProcessRestartMs, () => {
      if (this.#stopping) return;
      this.start().catch((error: unknown) => {
        this.#options.say(error instanceof KeptProcessError ? error.message : String(error));
        if (!this.#stopping) this.#startAgain("it did not serve");
      });
    });
  }
}
