/**
 * Proves that the simulator would notice: each deliberate bug, switched on alone, is caught within 200 seeds, and the sound
 * code passes the very run that catches it. Takes minutes, so it runs when MUTATIONS=1 is set (.ci/run does).
 */
import { describe, expect, test } from "vitest";
import { mutations } from "./mutations/all-mutations.ts";
import { runShard } from "./shards.ts";

const seedsMax = 200;
const testTimeoutMs = 1_200_000;

describe.skipIf(process.env["MUTATIONS"] !== "1")("deliberate bugs", () => {
  for (const { name, what } of mutations) {
    test.concurrent(`${name}: ${what}`, { timeout: testTimeoutMs }, async ({ annotate }) => {
      const mutated = await runShard(["--mutation", name, "--seed", "1", "--seeds", String(seedsMax)]);
      const [caught] = mutated.failures;
      if (caught === undefined) return expect.fail(`not caught within ${seedsMax} seeds`);

      const sound = await runShard(["--schedule", name, "--seed", String(caught.seed)]);
      expect(sound.failures).toEqual([]);
      await annotate(caught.text);
    });
  }
});
