import type { Clock } from "../../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../../shared/ports/timers.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type ProcessState = "running" | "paused" | "dead";

/** Late by this much at most, as timers are. */
const timerLateMsMax = 1.5;
/** One turn of the event loop takes up to this long. */
const turnMsMax = 0.1;

interface HeldInput {
  readonly isTimer: boolean;
  readonly label: string;
  readonly run: () => void;
}

/**
 * One run of a program on a machine, from start to death. Everything that reaches the program (a timer, a message, the
 * end of a disk write) comes in through `deliver`, so this is where a process is dead (nothing ever runs again, promises
 * it awaits never settle), or paused as by SIGSTOP (what comes is held, and handed over late, in order, after SIGCONT).
 *
 *            pause                 kill
 *   running ───────▶ paused   any ──────▶ dead
 *           ◀───────
 *            resume (held inputs first, one turn each)
 */
export class SimProcess {
  readonly machineId: number;
  /** Unique in the run: machine and number of the start. */
  readonly name: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: SeededRandom;
  readonly #scheduler: Scheduler;
  readonly #deathListeners: ((how: ProcessDeath) => void)[] = [];
  #state: ProcessState = "running";
  #held: HeldInput[] = [];
  /** A turn that hands over the next held input is scheduled. */
  #draining = false;

  constructor(options: {
    readonly machineId: number;
    readonly name: string;
    readonly scheduler: Scheduler;
    readonly clock: MachineClock;
    readonly random: SeededRandom;
  }) {
    this.machineId = options.machineId;
    this.name = options.name;
    this.clock = options.clock;
    this.random = options.random;
    this.#scheduler = options.scheduler;
    this.timers = processTimers(this, options.scheduler, options.clock);
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Hands an input to the program now, later, or never. To be called from an event of the scheduler. */
  deliver(label: string, run: () => void, isTimer = false): void {
    if (this.#state === "dead") return;
    if (this.#state === "paused" || this.#held.length > 0) {
      this.#held.push({ isTimer, label, run });
      return;
    }
    this.#run(label, run);
  }

  /** Schedules an input: after `delayMs` of simulated time `run` is delivered. */
  deliverAfter(delayMs: number, label: string, run: () => void): void {
    this.#scheduler.after(delayMs, `${this.name} ${label}`, () => this.deliver(label, run));
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** `timersFirst`: expired timers run before the messages that waited, as in Node after SIGCONT. */
  resume(timersFirst: boolean): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    if (timersFirst) {
      this.#held = [...this.#held.filter((input) => input.isTimer), ...this.#held.filter((input) => !input.isTimer)];
    }
    this.#drainHeld();
  }

  kill(how: ProcessDeath): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    for (const listener of this.#deathListeners) listener(how);
  }

  onDeath(listener: (how: ProcessDeath) => void): void {
    this.#deathListeners.push(listener);
  }

  #drainHeld(): void {
    if (this.#draining || this.#held.length === 0) return;
    this.#draining = true;
    this.#scheduler.after(0, `${this.name} held`, () => {
      this.#draining = false;
      if (this.#state !== "running") return;
      const input = this.#held.shift();
      if (input !== undefined) this.#run(input.label, input.run);
      this.#drainHeld();
    });
  }

  #run(label: string, run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.#scheduler.fail(new Error(`${this.name} threw in ${label}: ${String(cause)}`, { cause }));
    }
  }
}

/** `process`: the machine and its page cache live on. `power`: both are gone, and nobody sends a reset. */
export type ProcessDeath = "process" | "power";

function processTimers(process: SimProcess, scheduler: Scheduler, clock: MachineClock): Timers {
  return {
    after(ms: number, run: () => void): CancelTimer {
      let cancelled = false;
      const lateMs = process.random.fraction() * timerLateMsMax;
      const event = scheduler.after(Math.max(0, ms) / clock.rate + lateMs, `${process.name} timer`, () => {
        // Held while paused: cancelled by what ran before it after the resume.
        process.deliver("timer", () => (cancelled ? undefined : run()), true);
      });
      return () => {
        cancelled = true;
        scheduler.cancel(event);
      };
    },
    afterTurn(run: () => void): void {
      const turnMs = process.random.fraction() * turnMsMax;
      scheduler.after(turnMs, `${process.name} turn`, () => process.deliver("turn", run));
    },
  };
}
