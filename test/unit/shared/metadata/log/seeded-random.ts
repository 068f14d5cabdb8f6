import type { Random } from "../../../../../shared/ports/random.ts";

/** A small generator (mulberry32) with a seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { fraction: next, bytes: (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(next() * 256))) };
}
