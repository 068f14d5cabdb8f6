import type { Random } from "../../../shared/ports/random.ts";

/**
 * A small fast generator (sfc32) whose seed is a path such as `17/network/links`. A child's stream depends on its path
 * only, never on how much was drawn elsewhere: one more fault does not change the latencies of the network.
 */
export class SeededRandom implements Random {
  readonly path: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(path: string) {
    this.path = path;
    const [a, b, c] = hashWords(path);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    // The first outputs still mirror the seed words.
    for (let i = 0; i < 12; i += 1) this.word();
  }

  child(label: string | number): SeededRandom {
    return new SeededRandom(`${this.path}/${label}`);
  }

  /** Uniform 32-bit unsigned integer. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  fraction(): number {
    return this.word() / 0x1_0000_0000;
  }

  bytes(size: number): Buffer {
    const buffer = Buffer.alloc(size);
    for (let i = 0; i < size; i += 1) buffer[i] = this.word() & 0xff;
    return buffer;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let i = result.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      const held = result[i] as T;
      result[i] = result[j] as T;
      result[j] = held;
    }
    return result;
  }

  /** A choice by weight; a weight of 0 is never chosen. */
  weighted<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let rest = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of entries) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    const last = entries.findLast(([, weight]) => weight > 0);
    if (last === undefined) throw new Error("every weight is 0");
    return last[0];
  }
}

/** How long something takes: at least `minMs`, `meanMs` more on average, and now and then up to `tailMs`. */
export interface LatencyProfile {
  readonly minMs: number;
  readonly meanMs: number;
  readonly tailChance: number;
  readonly tailMs: number;
}

export function drawLatency(random: SeededRandom, profile: LatencyProfile): number {
  const body = profile.minMs + random.exponential(profile.meanMs);
  return random.chance(profile.tailChance) ? body + random.fraction() * profile.tailMs : body;
}

/** Three well mixed words of a string (FNV-1a with different bases, then a finalizer). */
function hashWords(text: string): [number, number, number] {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b].map((base) => {
    let hash = base | 0;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) | 0;
  });
  return words as [number, number, number];
}
