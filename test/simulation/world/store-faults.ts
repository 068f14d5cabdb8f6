import type { StoreFailure } from "../../../shared/item-store/item-store.ts";
import type { Scheduler } from "./scheduler.ts";
import { drawLatency, type LatencyProfile, type SeededRandom } from "./seeded-random.ts";
import type { SimProcess } from "./sim-process.ts";

/**
 * How a store treats calls. `hanging`: accepts and never answers, or answers when nobody waits any more. `flaky`: each
 * call draws its own fate.
 */
export type StoreMode = "healthy" | "down" | "hanging" | "throttling" | "flaky" | "slow";

type Fate =
  | { readonly kind: "answered"; readonly extraMs: number }
  | { readonly kind: "refused"; readonly failure: StoreFailure["kind"] }
  /** The caller hears nothing certain after `unknownAfterMs`; the call takes effect at `appliedAfterMs`, or never. */
  | { readonly kind: "uncertain"; readonly unknownAfterMs: number; readonly appliedAfterMs: number | undefined }
  /** The caller hears nothing at all. */
  | { readonly kind: "silent"; readonly appliedAfterMs: number | undefined };

const calmLatency: LatencyProfile = { minMs: 1, meanMs: 3, tailChance: 0.02, tailMs: 40 };
/** An adapter gives up on an answer after this long. */
const adapterTimeoutMs = { low: 800, high: 5_000 };

/** Decides what becomes of each call to one simulated store; owned by the world, switched by the fault schedule. */
export class StoreFaults {
  mode: StoreMode = "healthy";
  /** Machines whose packets to the store are lost. */
  readonly unreachableFrom = new Set<number>();
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #count: (name: string) => void;

  constructor(name: string, scheduler: Scheduler, random: SeededRandom, count: (name: string) => void) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#count = count;
  }

  heal(): void {
    this.mode = "healthy";
    this.unreachableFrom.clear();
  }

  /**
   * Carries one call of a process: `apply` is the call at the store itself, at one instant; `write`: repeating or
   * losing it matters.
   */
  call<T>(process: SimProcess, label: string, write: boolean, apply: () => Promise<T>): Promise<T | StoreFailure> {
    const { promise, resolve } = Promise.withResolvers<T | StoreFailure>();
    const fate = this.#fate(process.machineId, write);
    const there = drawLatency(this.#random, calmLatency);
    const back = drawLatency(this.#random, calmLatency);
    const text = `${this.name} ${label}`;
    const failed = (kind: StoreFailure["kind"]): void => resolve({ kind, message: `simulated: ${kind}` });
    switch (fate.kind) {
      case "answered":
        this.#applyAfter(there + fate.extraMs, `${process.name} ${text}`, apply, (result) => {
          process.deliverAfter(back, `${text} answer`, () => resolve(result));
        });
        break;
      case "refused":
        this.#count(`store ${fate.failure}`);
        process.deliverAfter(there + back, `${text} ${fate.failure}`, () => failed(fate.failure));
        break;
      case "uncertain":
        this.#count(this.#uncertainName(fate));
        this.#applyMaybe(fate.appliedAfterMs, `${process.name} ${text} uncertain`, apply);
        process.deliverAfter(fate.unknownAfterMs, `${text} unknown`, () => failed("unknown"));
        break;
      case "silent":
        this.#count("store never answers");
        this.#applyMaybe(fate.appliedAfterMs, `${process.name} ${text} silent`, apply);
        break;
    }
    return promise;
  }

  #applyMaybe<T>(afterMs: number | undefined, label: string, apply: () => Promise<T>): void {
    if (afterMs !== undefined) this.#applyAfter(afterMs, label, apply, () => undefined);
  }

  #applyAfter<T>(afterMs: number, label: string, apply: () => Promise<T>, then: (result: T) => void): void {
    this.#scheduler.after(afterMs, label, () => {
      apply().then(then, (error: unknown) => {
        this.#scheduler.fail(new Error(`simulated ${this.name} threw`, { cause: error }));
      });
    });
  }

  #uncertainName(fate: { readonly unknownAfterMs: number; readonly appliedAfterMs: number | undefined }): string {
    if (fate.appliedAfterMs === undefined) return "store unknown, lost";
    return fate.appliedAfterMs > fate.unknownAfterMs ? "store unknown, applied late" : "store unknown, applied";
  }

  #fate(machineId: number, write: boolean): Fate {
    const random = this.#random;
    if (this.unreachableFrom.has(machineId)) return this.#hangingFate(false);
    switch (this.mode) {
      case "healthy":
        return { kind: "answered", extraMs: 0 };
      case "slow":
        return { kind: "answered", extraMs: random.exponential(400) };
      case "down":
        return { kind: "refused", failure: "unavailable" };
      case "throttling":
        return random.chance(0.7) ? { kind: "refused", failure: "throttled" } : { kind: "answered", extraMs: 20 };
      case "hanging":
        return this.#hangingFate(write);
      case "flaky":
        return this.#flakyFate(write);
    }
  }

  #hangingFate(mayApply: boolean): Fate {
    const appliedAfterMs = mayApply && this.#random.chance(0.3) ? this.#random.between(1, 6_000) : undefined;
    if (this.#random.chance(0.5)) return { kind: "silent", appliedAfterMs };
    return { kind: "uncertain", unknownAfterMs: this.#timeoutMs(), appliedAfterMs };
  }

  #flakyFate(write: boolean): Fate {
    const random = this.#random;
    const choice = random.weighted({
      answered: 5,
      unavailable: 1,
      throttled: 1,
      lost: 1,
      applied: 2,
      late: 3,
      slow: 1,
    });
    switch (choice) {
      case "answered":
        return { kind: "answered", extraMs: 0 };
      case "slow":
        return { kind: "answered", extraMs: random.between(0, 800) };
      case "unavailable":
      case "throttled":
        return { kind: "refused", failure: choice };
      case "lost":
        return { kind: "uncertain", unknownAfterMs: this.#timeoutMs(), appliedAfterMs: undefined };
      case "applied":
        return { kind: "uncertain", unknownAfterMs: this.#timeoutMs(), appliedAfterMs: random.between(1, 20) };
      case "late": {
        const unknownAfterMs = this.#timeoutMs();
        // A late read does nothing; a late write is a packet that comes out of the network after its sender gave up.
        const appliedAfterMs = write ? unknownAfterMs + random.between(1, 2_000) : undefined;
        return { kind: "uncertain", unknownAfterMs, appliedAfterMs };
      }
    }
  }

  #timeoutMs(): number {
    return this.#random.between(adapterTimeoutMs.low, adapterTimeoutMs.high);
  }
}
