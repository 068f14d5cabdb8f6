import { Coverage } from "./coverage.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Scheduler } from "./scheduler.ts";
import { SeededRandom } from "./seeded-random.ts";
import { StoreFaults } from "./store-faults.ts";
import { Trace } from "./trace.ts";

/** Everything that is simulated, grown from one seed: time, machines, network, and the way to the stores. */
export class World {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly itemFaults: StoreFaults;
  readonly objectFaults: StoreFaults;
  readonly coverage = new Coverage();
  readonly #machines = new Map<number, Machine>();

  constructor(seed: number, trace: Trace = new Trace()) {
    this.seed = seed;
    this.random = new SeededRandom(String(seed));
    this.scheduler = new Scheduler(trace);
    this.network = new Network(this.scheduler, this.random.child("network"), (id) => this.machine(id).isPowered);
    const count = (name: string): void => this.coverage.count(name);
    this.itemFaults = new StoreFaults("items", this.scheduler, this.random.child("item-store"), count);
    this.objectFaults = new StoreFaults("objects", this.scheduler, this.random.child("object-store"), count);
  }

  /** The machine of this id; made when first asked for. */
  machine(id: number): Machine {
    let machine = this.#machines.get(id);
    if (machine === undefined) {
      machine = new Machine(this, id);
      this.#machines.set(id, machine);
    }
    return machine;
  }
}
