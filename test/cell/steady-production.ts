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
    /** Resolves when so many more were acknowledged. */
    until: async (count: number) => {
      const wanted = acknowledged.length + count;
      while (acknowledged.length < wanted)
        await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5))]);
    },
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
