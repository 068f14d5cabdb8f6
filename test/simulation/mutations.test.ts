/**
 * Proves that the simulator would notice: each deliberate bug, switched on alone, is caught within 200 seeds, and the sound
 * code passes the very runs that catch it. Takes minutes, so it runs when MUTATIONS=1 is set (.ci/run does).
 */
import { describe, expect, test } from "vitest";
import { mutations } from "./mutations/all-mutations.ts";
import { replayCommand, runSeed } from "./run-seed.ts";

const seedsMax = 200;
const testTimeoutMs = 1_200_000;

describe.skipIf(process.env["MUTATIONS"] !== "1")("deliberate bugs", () => {
  for (const mutation of mutations) {
    test(`${mutation.name}: ${mutation.what}`, { timeout: testTimeoutMs }, async () => {
      let seed = 1;
      while (seed <= seedsMax && (await runSeed({ seed, mutation })).failure === undefined) seed += 1;
      expect(seed, `not caught within ${seedsMax} seeds`).toBeLessThanOrEqual(seedsMax);

      const options = { seed, scheduleOf: mutation };
      const sound = await runSeed(options);
      expect(sound.failure, replayCommand(options)).toBeUndefined();
      console.log(`${mutation.name} is caught by seed ${seed}`);
    });
  }
});
