/** Makes things go wrong, as a seed says, and sets everything right again when told to. */
import type { CellMachine, SimulatedCell } from "../cell/simulated-cell.ts";
import { firstClientMachine } from "../workload/workload.ts";
import type { SeededRandom } from "../world/seeded-random.ts";
import type { World } from "../world/world.ts";
import type { FaultKind } from "./fault-kinds.ts";
import { blockLink, isolate, slowLink } from "./network-faults.ts";
import type { Personality } from "./personality.ts";
import { beginStoreMode } from "./store-modes.ts";

export interface NemesisOptions {
  readonly world: World;
  readonly cell: SimulatedCell;
  readonly clients: number;
  readonly personality: Personality;
  /** The machines of these brokers lost their power together, or its disk. */
  readonly onPowerLoss: (members: readonly CellMachine[]) => void;
  readonly onDiskGone: (member: CellMachine) => void;
  /** Does every voter have all its data now? Else one more that loses it may leave no majority for ever. */
  readonly isAllDataThere: () => boolean;
}

/** Undoes a fault. */
type Undo = () => void;

export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #random: SeededRandom;
  /** Faults under way, each with how it ends. */
  readonly #active = new Set<Undo>();
  #isStopped = false;
  /** At most one disk is wiped in a run, and then no power is cut: else a majority's data may be gone for good. */
  #isDiskWiped = false;
  /** When a fault last began or ended. */
  lastChangeMs = 0;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#random = options.world.random.child("faults");
  }

  start(): void {
    const { personality, world } = this.#options;
    world.scheduler.after(this.#random.exponential(personality.meanGapMs), "nemesis", () => {
      if (this.#isStopped) return;
      this.begin(this.#random.weighted(personality.weights));
      this.start();
    });
  }

  /** No new faults; those under way end at once, and every broker runs. */
  heal(): void {
    const { world, cell } = this.#options;
    this.#isStopped = true;
    cell.onFreshLeader = undefined;
    cell.onElectionBegun = undefined;
    for (const undo of [...this.#active]) undo();
    this.#active.clear();
    world.network.healAll();
    world.itemFaults.heal();
    world.objectFaults.heal();
    for (const member of cell.machines) {
      member.diskFaults.heal();
      member.machine.process?.resume(true);
      if (member.isShuttingDown) cell.kill(member);
      member.machine.powerOn();
      cell.start(member);
    }
    this.lastChangeMs = world.scheduler.nowMs;
  }

  resumeFaults(): void {
    this.#isStopped = false;
    this.start();
  }

  /** Begins one fault now, if there is something it can hit. */
  begin(kind: FaultKind): void {
    const { world } = this.#options;
    const isBegun = this.#begin(kind);
    if (!isBegun) return;
    world.coverage.count(`fault: ${kind}`);
    world.scheduler.note(`FAULT ${kind}`);
    this.lastChangeMs = world.scheduler.nowMs;
  }

  #begin(kind: FaultKind): boolean {
    switch (kind) {
      case "kill-process":
        return this.#kill(1);
      case "kill-two-processes":
        return this.#kill(2);
      case "kill-all-processes":
        return this.#kill(this.#options.cell.machines.length);
      case "power-cut-machine":
        return this.#cutPower(1);
      case "power-cut-cell":
        return this.#cutPower(this.#options.cell.machines.length);
      case "pause-process":
        return this.#pause(300, 5_000);
      case "pause-controller":
        return this.#pause(
          8_000,
          14_000,
          this.#running().find(({ broker }) => broker?.isController),
        );
      case "hiccup":
        return this.#pause(20, 300);
      case "kill-fresh-leader":
        return this.#killFreshLeader();
      case "kill-electing-controller":
        return this.#killElectingController();
      case "needless-election":
        return this.#electNeedlessly();
      case "controller-loses-leader":
        return this.#loseLeader();
      case "controlled-shutdown":
        return this.#shutDown();
      case "disk-wiped":
        return this.#wipeDisk();
      default:
        return this.#beginElsewhere(kind);
    }
  }

  #beginElsewhere(kind: FaultKind): boolean {
    const { world, clients, cell } = this.#options;
    const random = this.#random;
    const brokers = cell.machines.map(({ machine }) => machine.id);
    const [one = 0, two = 0] = random.shuffled(brokers);
    const client = firstClientMachine + random.below(clients);
    switch (kind) {
      case "isolate-machine":
        return this.#during(300, 6_000, () => isolate(world.network, one, brokers));
      case "block-one-way":
        return this.#during(300, 6_000, () => blockLink(world.network, [[one, two]]));
      case "block-pair":
        return this.#during(300, 6_000, () =>
          blockLink(world.network, [
            [one, two],
            [two, one],
          ]),
        );
      case "cut-client":
        return this.#during(300, 6_000, () =>
          blockLink(world.network, [
            [one, client],
            [client, one],
          ]),
        );
      case "slow-link":
        return this.#during(500, 6_000, () => slowLink(world.network, one, two, 2 + random.exponential(80)));
      case "reset-connections":
        return world.network.reset(one, two) > 0;
      case "refuse-connections":
        world.network.connectFailureChance = random.between(0.2, 1);
        return this.#during(300, 4_000, () => () => (world.network.connectFailureChance = 0));
      case "clock-jump":
        world.machine(random.pick(brokers)).clock.jumpWall(random.pick([-1, 1]) * random.exponential(100_000));
        return true;
      default:
        return this.#beginInStorage(kind);
    }
  }

  #beginInStorage(kind: FaultKind): boolean {
    const random = this.#random;
    const { diskFaults } = random.pick(this.#options.cell.machines);
    switch (kind) {
      case "disk-slow":
        return this.#during(500, 6_000, () => {
          // Every call takes its time, or the larger ones do.
          if (random.chance(0.5)) diskFaults.begin("slow", 5 + random.exponential(250));
          else diskFaults.begin("narrow", random.exponential(0.3));
          return () => diskFaults.heal();
        });
      case "disk-stuck":
        return this.#during(300, 5_000, () => {
          diskFaults.begin("stuck");
          return () => diskFaults.heal();
        });
      case "disk-full":
        return this.#during(300, 5_000, () => {
          diskFaults.begin("full");
          return () => diskFaults.heal();
        });
      case "disk-errors":
        return this.#during(200, 3_000, () => {
          const failing = random.chance(0.5) ? undefined : random.pick(["sync", "read"] as const);
          diskFaults.begin("errors", random.between(0.02, 0.5), failing);
          return () => diskFaults.heal();
        });
      default:
        return this.#during(400, 7_000, () => beginStoreMode(this.#options.world, random, kind));
    }
  }

  /** Runs a fault for a time drawn between the bounds. */
  #during(lowMs: number, highMs: number, begin: () => Undo | undefined): boolean {
    const end = begin();
    if (end === undefined) return false;
    const undo = (): void => {
      if (!this.#active.delete(undo)) return;
      end();
      this.lastChangeMs = this.#options.world.scheduler.nowMs;
    };
    this.#active.add(undo);
    this.#options.world.scheduler.after(this.#random.between(lowMs, highMs), "fault ends", undo);
    return true;
  }

  /** Machines that run a broker and are not in the middle of something else. */
  #running(): CellMachine[] {
    const { cell, personality } = this.#options;
    const running = this.#random.shuffled(
      cell.machines.filter(
        ({ machine, broker, isShuttingDown }) =>
          broker !== undefined && !isShuttingDown && machine.process?.state === "running",
      ),
    );
    if (personality.aimAtCoordinators === 0 || !this.#random.chance(personality.aimAtCoordinators)) return running;
    const [coordinators, others] = [true, false].map((wanted) =>
      running.filter(({ broker }) => (broker?.coordinates ?? false) === wanted),
    );
    return [...(coordinators ?? []), ...(others ?? [])];
  }

  #kill(count: number): boolean {
    const { cell } = this.#options;
    const victims = this.#running().slice(0, count);
    for (const member of victims) cell.kill(member);
    return this.#startLater(victims, 100, 6_000);
  }

  #killFreshLeader(): boolean {
    this.#options.cell.onFreshLeader = (member) => this.#killSoon(member, "the fresh leader dies");
    return true;
  }

  #killElectingController(): boolean {
    this.#options.cell.onElectionBegun = (member) => this.#killSoon(member, "the electing controller dies");
    return true;
  }

  #killSoon(member: CellMachine, what: string): void {
    const { cell, world } = this.#options;
    world.scheduler.after(this.#random.exponential(20), what, () => {
      if (this.#isStopped || member.broker === undefined || member.isShuttingDown) return;
      world.coverage.count(`fault: ${what}`);
      world.scheduler.note(`FAULT ${what}`);
      cell.kill(member);
      this.#startLater([member], 300, 5_000);
    });
  }

  #electNeedlessly(): boolean {
    const controller = this.#running().find(({ broker }) => broker?.isController);
    const { aimAtCoordinators } = this.#options.personality;
    const isAimed = aimAtCoordinators > 0 && this.#random.chance(aimAtCoordinators);
    return controller?.broker?.reportNeedlessly(this.#random, isAimed) ?? false;
  }

  /**
   * Nothing comes through between the two, so that the controller's own replicas fall behind; then it elects. The leader is
   * not sealed before the link is back, or not at all when the connection broke.
   */
  #loseLeader(): boolean {
    const { network, scheduler } = this.#options.world;
    const running = this.#running();
    const controller = running.find(({ broker }) => broker?.isController);
    const leader = running.find((member) => member !== controller && member.broker?.isLeading);
    if (controller === undefined || leader === undefined) return false;
    const [here, there] = [controller.machine.id, leader.machine.id];
    const isReset = this.#random.chance(0.5);
    scheduler.after(this.#random.exponential(100), "the controller loses the leader", () => {
      if (this.#isStopped || leader.brokerId === undefined) return;
      if (isReset) network.reset(here, there);
      else controller.broker?.reportLeader(leader.brokerId);
    });
    return this.#during(100, 1_500, () =>
      blockLink(network, [
        [here, there],
        [there, here],
      ]),
    );
  }

  #cutPower(count: number): boolean {
    const { cell, onPowerLoss } = this.#options;
    if (this.#isDiskWiped) return false;
    const victims =
      count === 1 ? this.#running().slice(0, 1) : cell.machines.filter(({ machine }) => machine.isPowered);
    if (victims.length === 0) return false;
    for (const member of victims) cell.powerOff(member);
    onPowerLoss(victims);
    return this.#startLater(victims, 300, 5_000);
  }

  #wipeDisk(): boolean {
    const { cell, onDiskGone, isAllDataThere } = this.#options;
    const [victim] = this.#running();
    if (victim === undefined || this.#isDiskWiped || !isAllDataThere()) return false;
    this.#isDiskWiped = true;
    cell.kill(victim);
    victim.volume.wipe();
    onDiskGone(victim);
    return this.#startLater([victim], 100, 4_000);
  }

  #startLater(members: readonly CellMachine[], lowMs: number, highMs: number): boolean {
    const { cell } = this.#options;
    for (const member of members) {
      this.#during(lowMs, highMs, () => () => {
        member.machine.powerOn();
        cell.start(member);
      });
    }
    return members.length > 0;
  }

  #pause(lowMs: number, highMs: number, victim = this.#running()[0]): boolean {
    const process = victim?.machine.process;
    if (process === undefined) return false;
    // A process that does not run does not sync either.
    victim?.diskFaults.noteFault();
    process.pause();
    return this.#during(lowMs, highMs, () => () => {
      victim?.diskFaults.noteFault();
      process.resume(this.#random.chance(0.5));
    });
  }

  #shutDown(): boolean {
    const { cell } = this.#options;
    const victim = this.#running().find(({ broker }) => broker?.isServing);
    if (victim === undefined) return false;
    cell.shutDown(victim, () => this.#startLater([victim], 100, 3_000));
    return true;
  }
}
