import { soundRules } from "../../../broker/replication/replication-rules.ts";
import { MemoryItemStore } from "../../../shared/item-store/memory-item-store.ts";
import { MemoryObjectStore } from "../../../shared/object-store/memory-object-store.ts";
import type { Logger } from "../../../shared/telemetry/logger.ts";
import { LeaderChecker } from "../checkers/leader-checker.ts";
import { MetadataChecker } from "../checkers/metadata-checker.ts";
import type { Mutation } from "../mutations/mutation.ts";
import type { TopicPartition } from "../workload/kafka-messages.ts";
import type { Machine } from "../world/machine.ts";
import { DiskFaults } from "../world/sim-disk.ts";
import { SimItemStore } from "../world/sim-item-store.ts";
import { SimObjectStore } from "../world/sim-object-store.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { Volume } from "../world/volume.ts";
import type { World } from "../world/world.ts";
import { ObservedItems } from "./observed-items.ts";
import { ObservedObjects } from "./observed-objects.ts";
import { SimulatedBroker } from "./simulated-broker.ts";

/** The supervisor of the machine starts a broker that ended by itself again after this. */
const restartMs = 500;
/** Lines that no fault excuses. */
const forbiddenEvents: ReadonlySet<string> = new Set(["append-gap", "peer-protocol-error"]);

/** What of a machine outlives its processes. */
export interface CellMachine {
  readonly machine: Machine;
  readonly volume: Volume;
  readonly diskFaults: DiskFaults;
  broker: SimulatedBroker | undefined;
  /** The id under which its data is known; undefined before the first start was over. */
  brokerId: number | undefined;
  isShuttingDown: boolean;
}

interface CoordinatorLoaded {
  readonly partition: number;
  readonly groups: number;
}

/** The brokers of one cell, their machines, and the stores that they share. */
export class SimulatedCell {
  readonly machines: readonly CellMachine[];
  readonly leaders: LeaderChecker;
  readonly metadata: MetadataChecker;
  readonly items: ObservedItems;
  readonly #world: World;
  readonly #objects = new MemoryObjectStore();
  readonly #mutation: Mutation | undefined;
  readonly #violate: (message: string) => void;
  /** The last chance to look at a process. */
  readonly #beforeDeath: () => void;
  readonly #onCommitted: (at: TopicPartition) => void;
  /** Called with the next broker that takes office somewhere, and then no more. */
  onFreshLeader: ((member: CellMachine) => void) | undefined;
  /** Called with the next controller that begins an election, and then no more. */
  onElectionBegun: ((member: CellMachine) => void) | undefined;
  /** A coordinator has read an internal partition, and found so many groups. */
  onCoordinatorLoaded: ((partition: number, groups: number) => void) | undefined;

  constructor(options: {
    readonly world: World;
    readonly brokers: number;
    readonly mutation: Mutation | undefined;
    readonly violate: (message: string) => void;
    readonly beforeDeath: () => void;
    readonly onCommitted: (at: TopicPartition) => void;
  }) {
    this.#onCommitted = options.onCommitted;
    const { world, violate } = options;
    this.#beforeDeath = options.beforeDeath;
    this.#world = world;
    this.#mutation = options.mutation;
    this.#violate = violate;
    this.leaders = new LeaderChecker(violate);
    this.metadata = new MetadataChecker(violate);
    const count = (name: string) => () => world.coverage.count(name);
    this.items = new ObservedItems(new MemoryItemStore(), this.metadata, count("path: metadata log trimmed"));
    this.machines = Array.from({ length: options.brokers }, (_, index) => this.#makeMachine(index + 1));
  }

  #makeMachine(id: number): CellMachine {
    const { scheduler, random, coverage } = this.#world;
    const diskRandom = random.child(`disk/${id}`);
    const diskFaults = new DiskFaults(scheduler, diskRandom.child("faults"), (name) => coverage.count(name));
    diskFaults.skipsSync = this.#mutation?.skipsSync ?? false;
    return {
      machine: this.#world.machine(id),
      volume: new Volume(diskRandom.child("volume")),
      diskFaults,
      broker: undefined,
      brokerId: undefined,
      isShuttingDown: false,
    };
  }

  /** Brokers whose start is over and that live, paused ones included. */
  get serving(): readonly SimulatedBroker[] {
    return this.machines.flatMap(({ broker }) => (broker?.isServing ? [broker] : []));
  }

  startAll(): void {
    for (const member of this.machines) this.start(member);
  }

  /** Starts the broker of a machine that has power and runs none. */
  start(member: CellMachine): void {
    if (member.machine.process !== undefined || !member.machine.isPowered) return;
    member.isShuttingDown = false;
    member.machine.start((process) => {
      const broker = this.#makeBroker(member, process);
      member.broker = broker;
      broker.start().then(
        () => {
          member.brokerId = broker.broker.id;
          member.diskFaults.noteFault();
        },
        (error: unknown) => this.#startFailed(member, broker, error),
      );
    });
  }

  kill(member: CellMachine): void {
    // What it had written is synced when its successor serves, not before.
    member.diskFaults.noteFault();
    this.#beforeDeath();
    member.broker = undefined;
    member.machine.kill();
  }

  /** With power goes what was not synced. */
  powerOff(member: CellMachine): void {
    this.#beforeDeath();
    member.broker = undefined;
    member.machine.powerOff();
    member.volume.powerLoss();
  }

  /** Controlled shutdown; the process ends when it is done. */
  shutDown(member: CellMachine, whenDone: () => void): void {
    const { broker } = member;
    if (broker === undefined || member.isShuttingDown) return;
    member.isShuttingDown = true;
    broker.process.deliver("shutdown", () => {
      broker.broker.shutdown().then(
        () => {
          if (member.broker !== broker) return;
          this.#world.coverage.count("controlled shutdown done");
          this.kill(member);
          whenDone();
        },
        (error: unknown) => {
          this.#world.scheduler.note(`${broker.process.name} shutdown failed: ${String(error)}`);
          if (member.broker === broker) this.kill(member);
          whenDone();
        },
      );
    });
  }

  #makeBroker(member: CellMachine, process: SimProcess): SimulatedBroker {
    const world = this.#world;
    const items = new SimItemStore(this.items, process, world.itemFaults);
    return new SimulatedBroker({
      world,
      machine: member.machine,
      process,
      volume: member.volume,
      diskFaults: member.diskFaults,
      items: this.#mutation?.items?.(items) ?? items,
      objects: new ObservedObjects(new SimObjectStore(this.#objects, process, world.objectFaults), () =>
        world.coverage.count("path: snapshot load"),
      ),
      rules: { ...soundRules, ...this.#mutation?.rules },
      logger: this.#logger(member, process),
      leaders: this.leaders,
      metadata: this.metadata,
      onCommitted: this.#onCommitted,
      coordinatedBy: this.#mutation?.coordinatedBy,
      onElectionBegun: () => {
        const tell = this.onElectionBegun;
        this.onElectionBegun = undefined;
        tell?.(member);
      },
    });
  }

  #tookOffice(member: CellMachine): void {
    const tell = this.onFreshLeader;
    this.onFreshLeader = undefined;
    tell?.(member);
  }

  #coordinatorLoaded({ partition, groups }: CoordinatorLoaded): void {
    this.onCoordinatorLoaded?.(partition, groups);
  }

  #startFailed(member: CellMachine, broker: SimulatedBroker, error: unknown): void {
    this.#world.scheduler.note(`${broker.process.name} did not start: ${String(error)}`);
    if (member.broker !== broker) return;
    const code = (error as { readonly code?: unknown }).code;
    if (code !== "EIO" && code !== "ENOSPC") {
      this.#world.scheduler.fail(new Error(`${broker.process.name} did not start: ${String(error)}`, { cause: error }));
    }
    this.#world.coverage.count("start failed");
    this.kill(member);
    this.#world.scheduler.after(restartMs, `supervisor ${member.machine.id}`, () => this.start(member));
  }

  #logger(member: CellMachine, process: SimProcess): Logger {
    const { scheduler } = this.#world;
    const write = (level: string, event: string, fields: unknown): void => {
      if (forbiddenEvents.has(event)) this.#violate(`${process.name} logged ${event}: ${JSON.stringify(fields)}`);
      this.#world.coverage.count(`log: ${event}`);
      if (event === "leader") this.#tookOffice(member);
      if (event === "coordinator-loaded") this.#coordinatorLoaded(fields as CoordinatorLoaded);
      if (level !== "debug") scheduler.note(`${process.name} ${level} ${event} ${JSON.stringify(fields ?? {})}`);
    };
    const logger: Logger = {
      debug: (event, fields) => write("debug", event, fields),
      info: (event, fields) => write("info", event, fields),
      warn: (event, fields) => write("warn", event, fields),
      error: (event, fields) => write("error", event, fields),
      with: () => logger,
    };
    return logger;
  }
}
