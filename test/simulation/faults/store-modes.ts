import type { SeededRandom } from "../world/seeded-random.ts";
import type { StoreMode } from "../world/store-faults.ts";
import type { World } from "../world/world.ts";
import type { FaultKind } from "./fault-kinds.ts";

const modeOf: Readonly<Partial<Record<FaultKind, StoreMode>>> = {
  "store-down": "down",
  "store-hanging": "hanging",
  "store-throttling": "throttling",
  "store-flaky": "flaky",
  "store-slow": "slow",
};

/** Switches the item store (or the way to it) into a mode; undefined when another fault holds it already. */
export function beginStoreMode(world: World, random: SeededRandom, kind: FaultKind): (() => void) | undefined {
  const { itemFaults, objectFaults } = world;
  if (kind === "store-unreachable") {
    const machineId = 1 + random.below(3);
    itemFaults.unreachableFrom.add(machineId);
    return () => itemFaults.unreachableFrom.delete(machineId);
  }
  if (kind === "objects-flaky") {
    objectFaults.mode = random.pick<StoreMode>(["flaky", "down", "hanging"]);
    return () => {
      objectFaults.mode = "healthy";
    };
  }
  const mode = modeOf[kind];
  if (mode === undefined) throw new Error(`no store mode stands for ${kind}`);
  if (itemFaults.mode !== "healthy") return undefined;
  itemFaults.mode = mode;
  return () => {
    itemFaults.mode = "healthy";
  };
}
