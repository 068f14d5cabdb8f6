/**
 * Proves that the simulator would notice: each deliberate bug, switched on alone, is caught, and the sound code passes the
 * very run that catches it. Takes minutes, so it runs only when told to.
 *
 *   MUTATIONS=known    at the seed that caught it last and the few after it (mutations/caught-at.ts); so in .ci/run
 *   MUTATIONS=1        from seed 1 on, within 200; prints what belongs into that table
 */
import { describe, expect, test } from "vitest";
import { mutations } from "./mutations/all-mutations.ts";
import { caughtAt } from "./mutations/caught-at.ts";
import { runShard } from "./shards.ts";

const searchSeedsMax = 200;
/** A change that moves a run by a little does not need a new table. */
const knownSeeds = 8;
const testTimeoutMs = 1_200_000;
/** Undefined: not wanted. */
const mode = { known: "known", "1": "search" }[process.env["MUTATIONS"] ?? ""];

test("it is known of every deliberate bug at which seed it is caught", () => {
  expect(Object.keys(caughtAt).sort()).toEqual(mutations.map(({ name }) => name).sort());
});

describe.skipIf(mode === undefined)("deliberate bugs", () => {
  for (const { name, what } of mutations) {
    test.concurrent(`${name}: ${what}`, { timeout: testTimeoutMs }, async ({ annotate }) => {
      const first = mode === "search" ? 1 : (caughtAt[name] ?? 1);
      const seeds = mode === "search" ? searchSeedsMax : knownSeeds;
      const mutated = await runShard(["--mutation", name, "--seed", String(first), "--seeds", String(seeds)]);
      const [caught] = mutated.failures;
      if (caught === undefined) return expect.fail(notCaught(name, first, seeds));

      const sound = await runShard(["--schedule", name, "--seed", String(caught.seed)]);
      expect(sound.failures).toEqual([]);
      await annotate(caught.text);
    });
  }
});

function notCaught(name: string, first: number, seeds: number): string {
  const where = `the mutation ${name} is not caught at the seeds ${first} to ${first + seeds - 1}`;
  if (mode === "search") return `${where}: its schedule lets it do no damage, or a checker sees less than it did`;
  const search = `MUTATIONS=1 npx vitest run --project simulation mutations -t ${name}`;
  return `${where} any more. Search again with\n  ${search}\nand put the seed into test/simulation/mutations/caught-at.ts`;
}
