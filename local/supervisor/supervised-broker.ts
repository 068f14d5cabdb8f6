/**
 * One broker process over its lives.
 *
 *                 start                ready line
 *   ┌────────┐ ──────────▶ ┌──────────┐ ─────────▶ ┌────────┐
 *   │  down  │             │ starting │            │   up   │ (pause and resume only stop and wake the process)
 *   └────────┘             └──────────┘            └────────┘
 *     ▲    ▲   timer or start ▲    │ exit              │ exit
 *     │    │               ┌──┴────▼───┐               │
 *     │    └── never ───── │  waiting  │ ◀─────────────┘
 *     │                    └───────────┘
 *     └── exit ── stopping ◀── stop (from starting, up)
 */
import type { BrokerReadyLine } from "../../shared/broker-config/broker-config.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import { brokerStopMsMax, logLinesShown, restartDelayMsMax } from "../limits.ts";
import { type Child, type ChildProgram, startChild } from "./child.ts";
import { restartDelayMs } from "./restart-delay.ts";
import type { RotatingLog } from "./rotating-log.ts";

export type BrokerState = "down" | "starting" | "up" | "waiting" | "stopping";

export interface SupervisedBrokerOptions {
  /** 1, 2, …: its place in the data directory and its ports; also the broker id that it asks for. */
  readonly slot: number;
  readonly program: ChildProgram;
  readonly log: RotatingLog;
  readonly restartAfterMs: number;
  readonly timers: Timers;
  /** Something that the person at the terminal should know. */
  readonly say: (message: string) => void;
  /** State, process id or broker id changed. */
  readonly onChange: () => void;
  /** Ends the commands that it tells of: ` --data DIR`, or nothing. */
  readonly dataOption: string;
}

export type CommandOutcome =
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

/** How the current life began to serve or ended before it did. */
type LifeOutcome = { readonly kind: "ready" } | { readonly kind: "died"; readonly how: string };

/** What a controller logs for each partition that it let go on without a majority. */
const recoveredEvent = "recovered-without-majority";
/** What a broker logs for each partition whose log it could not write: a disk that is full, or failing. */
const logFailedEvent = "log-failed";

const done = (message: string): CommandOutcome => ({ kind: "done", message });
const refused = (message: string): CommandOutcome => ({ kind: "refused", message });

export class SupervisedBroker {
  readonly slot: number;
  readonly #options: SupervisedBrokerOptions;
  #state: BrokerState = "down";
  #child: Child | undefined;
  #ready: BrokerReadyLine | undefined;
  #brokerId: number;
  #paused = false;
  #failuresInARow = 0;
  /** Events of this life that the person at the terminal was told of. */
  readonly #told = new Set<string>();
  #cancelRestart: CancelTimer | undefined;
  #life = Promise.withResolvers<LifeOutcome>();
  #ended = Promise.withResolvers<void>();

  constructor(options: SupervisedBrokerOptions) {
    this.#options = options;
    this.slot = options.slot;
    this.#brokerId = options.slot;
  }

  get state(): BrokerState {
    return this.#state;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The id that it took; before it first served, the one that it asks for. */
  get brokerId(): number {
    return this.#brokerId;
  }

  /** Undefined while no process runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What the running process said when it was ready. */
  get ready(): BrokerReadyLine | undefined {
    return this.#ready;
  }

  get #name(): string {
    return `broker ${this.#brokerId}`;
  }

  /** Starts it, or hurries a restart that waits; resolves when it serves, or died before it did. */
  async start(): Promise<CommandOutcome> {
    if (this.#state === "up") return refused(`${this.#name} is running already`);
    if (this.#state === "stopping") await this.#ended.promise;
    if (this.#state === "down" || this.#state === "waiting") this.#launch();
    const outcome = await this.#life.promise;
    if (outcome.kind === "ready") return done(`${this.#name} serves (process ${this.pid})`);
    return refused(`${this.#name} ended before it served (${outcome.how}); the end of its log:\n${this.#logTail()}`);
  }

  /** Ends it by a controlled shutdown; it stays down until `start`. Resolves when the process is gone. */
  async stop(): Promise<CommandOutcome> {
    this.#cancelRestart?.();
    if (this.#state === "down") return refused(`${this.#name} is down already`);
    if (this.#state === "waiting") {
      this.#enter("down");
      return done(`${this.#name} stays down; ${this.#commandTo("start")} starts it`);
    }
    this.#enter("stopping");
    // A paused process would hear the request only when it is resumed.
    this.#wake();
    this.#child?.signal("SIGTERM");
    const cancel = this.#options.timers.after(brokerStopMsMax, () => {
      this.#options.say(`${this.#name} did not end within ${brokerStopMsMax / 1000} s: killing it`);
      this.#child?.signal("SIGKILL");
    });
    await this.#ended.promise;
    cancel();
    return done(`${this.#name} is down; ${this.#commandTo("start")} starts it`);
  }

  /** kill -9. It is started again as if it had crashed. Resolves when the process is gone. */
  async kill(): Promise<CommandOutcome> {
    if (this.#child === undefined) return refused(`${this.#name} has no process now`);
    const { pid } = this.#child;
    this.#child.signal("SIGKILL");
    await this.#ended.promise;
    const { restartAfterMs } = this.#options;
    const next = restartAfterMs === 0 ? "it stays down" : `it starts again in ${restartAfterMs / 1000} s`;
    return done(`${this.#name} (process ${pid}) was killed; ${next}`);
  }

  /** SIGSTOP: the process keeps its sockets and memory and does nothing. */
  pause(): CommandOutcome {
    if (this.#child === undefined) return refused(`${this.#name} has no process now`);
    if (this.#paused) return refused(`${this.#name} is paused already`);
    this.#child.signal("SIGSTOP");
    this.#paused = true;
    this.#options.onChange();
    return done(`${this.#name} (process ${this.pid}) is paused; ${this.#commandTo("resume")} wakes it`);
  }

  resume(): CommandOutcome {
    if (!this.#paused) return refused(`${this.#name} is not paused`);
    this.#wake();
    this.#options.onChange();
    return done(`${this.#name} (process ${this.pid}) goes on`);
  }

  /** The last resort at a second Ctrl-C. */
  forceEnd(): void {
    this.#cancelRestart?.();
    this.#state = "stopping";
    this.#child?.signal("SIGKILL");
  }

  #launch(): void {
    this.#cancelRestart?.();
    this.#life = Promise.withResolvers();
    this.#ended = Promise.withResolvers();
    this.#ready = undefined;
    this.#told.clear();
    this.#child = startChild(this.#options.program, this.#options.log, {
      onLine: (line) => this.#onLine(line),
      onLog: (chunk) => this.#onLog(chunk),
      onExit: (how) => this.#onExit(how),
    });
    this.#enter("starting");
  }

  #onLine(line: Readonly<Record<string, unknown>>): void {
    if (line["event"] !== "ready" || this.#state !== "starting") return;
    const ready = line as unknown as BrokerReadyLine;
    this.#ready = ready;
    this.#brokerId = ready.brokerId;
    this.#failuresInARow = 0;
    this.#enter("up");
    this.#life.resolve({ kind: "ready" });
  }

  /** What must not be found in a log file only: data may be missing (DESIGN section 5, Survival), or cannot be written. */
  #onLog(chunk: Buffer): void {
    this.#tellOnce(
      chunk,
      recoveredEvent,
      "partitions without a surviving majority went on from the most complete replica; what was acknowledged in the last second before the crash may be missing",
    );
    this.#tellOnce(
      chunk,
      logFailedEvent,
      "it cannot write to its disk, which is full or failing, and leads no partition that it cannot write; it tries again every few seconds",
    );
  }

  #tellOnce(chunk: Buffer, event: string, meaning: string): void {
    if (this.#told.has(event) || !chunk.includes(`"${event}"`)) return;
    this.#told.add(event);
    this.#options.say(`${this.#name}: ${meaning} (grep ${event} in its log)`);
  }

  #onExit(how: string): void {
    const before = this.#state;
    this.#child = undefined;
    this.#paused = false;
    this.#life.resolve({ kind: "died", how });
    if (before === "stopping") {
      this.#enter("down");
    } else {
      this.#planRestart(how, before === "up");
    }
    this.#ended.resolve();
  }

  #planRestart(how: string, served: boolean): void {
    this.#failuresInARow = served ? 0 : this.#failuresInARow + 1;
    const policy = { restartAfterMs: this.#options.restartAfterMs, delayMsMax: restartDelayMsMax };
    const delayMs = restartDelayMs(policy, this.#failuresInARow);
    if (delayMs === undefined) {
      this.#options.say(`${this.#name} ended (${how}) and stays down (--restart-after 0)`);
      this.#enter("down");
      return;
    }
    this.#options.say(`${this.#name} ended (${how}); it starts again in ${delayMs / 1000} s`);
    this.#enter("waiting");
    this.#cancelRestart = this.#options.timers.after(delayMs, () => {
      this.#launch();
      void this.#life.promise.then((outcome) => {
        if (outcome.kind === "ready") this.#options.say(`${this.#name} serves again (process ${this.pid})`);
      });
    });
  }

  #wake(): void {
    if (this.#paused) this.#child?.signal("SIGCONT");
    this.#paused = false;
  }

  #enter(state: BrokerState): void {
    this.#state = state;
    this.#options.onChange();
  }

  /** To paste. */
  #commandTo(verb: "start" | "resume"): string {
    return `npm run broker -- ${verb} ${this.#brokerId}${this.#options.dataOption}`;
  }

  #logTail(): string {
    return this.#options.log.tail(logLinesShown).join("\n");
  }
}
