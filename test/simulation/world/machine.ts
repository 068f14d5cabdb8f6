import { MachineClock } from "./machine-clock.ts";
import type { Network } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { type ProcessDeath, SimProcess } from "./sim-process.ts";

/** What a machine needs of its world. */
export interface MachineSurroundings {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly network: Network;
}

/** Clocks of machines run at most this much too fast or too slow. */
const driftMax = 0.01;
const wallErrorMsMax = 2_000;
const monotonicOriginMsMax = 1e7;

/** One machine of the world: clocks, power, and at most one running process of the program under test. */
export class Machine {
  readonly id: number;
  readonly clock: MachineClock;
  readonly #world: MachineSurroundings;
  #process: SimProcess | undefined;
  #isPowered = true;
  #boots = 1;
  #starts = 0;

  constructor(world: MachineSurroundings, id: number) {
    this.#world = world;
    this.id = id;
    const random = world.random.child(`clock/${id}`);
    this.clock = new MachineClock({
      nowMs: () => world.scheduler.nowMs,
      rate: 1 + random.between(-driftMax, driftMax),
      monotonicOriginMs: random.between(0, monotonicOriginMsMax),
      wallErrorMs: random.between(-wallErrorMsMax, wallErrorMsMax),
    });
  }

  /** The running process, paused or not. */
  get process(): SimProcess | undefined {
    return this.#process;
  }

  get isPowered(): boolean {
    return this.#isPowered;
  }

  /** New at every boot of the machine, the same for all its processes until then. */
  get bootId(): string {
    return `boot-${this.id}-${this.#boots}`;
  }

  /** Starts a process; `program` is its first turn. */
  start(program: (process: SimProcess) => void): SimProcess {
    if (!this.#isPowered) throw new Error(`machine ${this.id} has no power`);
    if (this.#process !== undefined) throw new Error(`machine ${this.id} runs a process already`);
    this.#starts += 1;
    const name = `m${this.id}.${this.#starts}`;
    const process = new SimProcess({
      machineId: this.id,
      name,
      scheduler: this.#world.scheduler,
      clock: this.clock,
      random: this.#world.random.child(`process/${name}`),
    });
    this.#process = process;
    process.deliverAfter(0, "start", () => program(process));
    return process;
  }

  /** kill -9, or a process that ended by itself. The page cache lives on. */
  kill(): void {
    this.#end("process");
  }

  /** Power is gone: with the process goes everything that was not synced. */
  powerOff(): void {
    if (!this.#isPowered) return;
    this.#isPowered = false;
    this.#end("power");
  }

  powerOn(): void {
    if (this.#isPowered) return;
    this.#isPowered = true;
    this.#boots += 1;
    this.#world.network.machineBooted(this.id);
  }

  #end(how: ProcessDeath): void {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined) return;
    this.#world.scheduler.note(`${process.name} dies (${how})`);
    process.kill(how);
  }
}
