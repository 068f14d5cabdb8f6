import { metricDefinitions } from "../shared/telemetry/metric-definitions.ts";
import { appliedPollMs, appliedWaitMsMax } from "./limits.ts";
import type { RunFile } from "./run-file.ts";

/**
 * Resolves when every running broker has applied entry `seq` of the metadata log, so that what a command made can be used
 * when it returns; or after a bounded wait: a paused broker follows when it wakes.
 */
export async function untilApplied(run: RunFile, seq: number): Promise<void> {
  const deadlineMs = performance.now() + appliedWaitMsMax;
  const running = run.brokers.filter(({ state }) => state === "up");
  await Promise.all(
    running.map(async ({ adminPort }) => {
      while (performance.now() < deadlineMs && (await appliedBy(adminPort)) < seq) {
        await new Promise((resolve) => setTimeout(resolve, appliedPollMs));
      }
    }),
  );
}

const appliedLine = new RegExp(`^${metricDefinitions.metadataSequence.name} (\\d+)$`, "m");

/** The last entry that the broker says it applied; 0 when it does not say. */
async function appliedBy(adminPort: number): Promise<number> {
  try {
    const signal = AbortSignal.timeout(appliedWaitMsMax);
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { signal });
    return Number(appliedLine.exec(await response.text())?.[1] ?? 0);
  } catch {
    return 0;
  }
}
