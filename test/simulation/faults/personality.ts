import type { SeededRandom } from "../world/seeded-random.ts";
import { type FaultKind, faultKinds } from "./fault-kinds.ts";

/** Which faults a run has, how often, and with what cell: drawn per seed, so that runs differ in kind ("swarm testing"). */
export interface Personality {
  readonly brokers: number;
  readonly clients: number;
  readonly meanGapMs: number;
  readonly batchIntervalMs: number;
  readonly faultsMs: number;
  /** Between two changes of topics or deletions of records, on average. */
  readonly adminGapMs: number;
  readonly weights: Readonly<Partial<Record<FaultKind, number>>>;
  /** For a while nothing but the store is away, and writes must go on. */
  readonly hasStoreAwayAct: boolean;
  /** `steady`: groups whose members stay, while nothing but coordinators fails. */
  readonly groups: "none" | "troubled" | "steady";
  /** How often a fault that could hit any broker hits one that coordinates groups. */
  readonly aimAtCoordinators: number;
}

const kindsMin = 2;
const kindsMax = 9;
/** What happens to coordinators in a run in which nothing else fails. */
const coordinatorFaults: Personality["weights"] = {
  "kill-process": 3,
  "pause-process": 2,
  "controlled-shutdown": 2,
  "needless-election": 3,
  hiccup: 1,
};

export function drawPersonality(random: SeededRandom, fixed: Partial<Personality> | undefined): Personality {
  const kinds = random.shuffled(faultKinds).slice(0, kindsMin + random.below(kindsMax - kindsMin + 1));
  const weights = Object.fromEntries(kinds.map((kind) => [kind, random.between(0.3, 3)]));
  const drawn: Personality = {
    brokers: random.chance(0.65) ? 3 : random.pick([4, 5]),
    clients: 2,
    meanGapMs: random.between(300, 1_500),
    batchIntervalMs: random.between(40, 150),
    faultsMs: random.between(8_000, 14_000),
    adminGapMs: random.between(500, 3_000),
    weights,
    hasStoreAwayAct: fixed === undefined && random.chance(0.2),
    groups: "none",
    aimAtCoordinators: 0,
  };
  // Schedules say for themselves whether they want groups.
  const groups = random.weighted({ none: 5, troubled: 4, steady: 1 });
  if (fixed !== undefined) return { ...drawn, ...fixed };
  if (groups === "none") return drawn;
  if (groups === "troubled") return { ...drawn, groups, aimAtCoordinators: 0.5 };
  const meanGapMs = random.between(1_500, 3_000);
  return { ...drawn, groups, aimAtCoordinators: 1, weights: coordinatorFaults, meanGapMs };
}
