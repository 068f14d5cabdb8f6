import type { TestClient } from "./test-client.ts";

/** Sends one record after the other until told to stop; remembers what was acknowledged and the longest gap. */
export async function produceSteadily(client: TestClient, topic: string) {
  const producer = await client.producer({ idempotent: true });
  const acknowledged: string[] = [];
  let longestGapMs = 0;
  let stopped = false;
  const running = (async () => {
    let lastMs = performance.now();
    for (let number = 0; !stopped; number++) {
      const value = `record-${number}`;
      await producer.send(topic, [value], 0);
      acknowledged.push(value);
      const nowMs = performance.now();
      longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  })();
  return {
    acknowledged,
    longestGapMs: () => longestGapMs,
    /** Rejects when a record could not be sent. */
    failed: running,
    stop: async () => {
      stopped = true;
      await running;
      await producer.close();
    },
  };
}
