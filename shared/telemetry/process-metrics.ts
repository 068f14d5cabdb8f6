import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";

const nanosecondsPerSecond = 1e9;
const microsecondsPerSecond = 1e6;
const millisecondsPerSecond = 1e3;
/** How finely the delay of the event loop is sampled; the sampler itself costs one timer. */
const eventLoopSampleMs = 50;

/** Registers what the operating system and V8 know of this process. The returned function stops the sampler. */
export function registerProcessMetrics(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: eventLoopSampleMs });
  delay.enable();
  // The sampler reports the time between two ticks: its own period is not delay.
  const delaySeconds = (nanoseconds: number) =>
    Math.max(0, nanoseconds / nanosecondsPerSecond - eventLoopSampleMs / millisecondsPerSecond);
  const orZero = (value: number) => (Number.isFinite(value) ? value : 0);
  metrics.onScrape("eventLoopDelay", { quantile: "0.5" }, () => delaySeconds(delay.percentile(50)));
  metrics.onScrape("eventLoopDelay", { quantile: "0.99" }, () => delaySeconds(delay.percentile(99)));
  metrics.onScrape("eventLoopDelay", { quantile: "1" }, () => {
    const longest = delaySeconds(orZero(delay.max));
    // The last of the three to be read: the next scrape starts anew.
    delay.reset();
    return longest;
  });
  metrics.onScrape("eventLoopUse", {}, () => performance.eventLoopUtilization().active / millisecondsPerSecond);
  metrics.onScrape("memory", { kind: "rss" }, () => process.memoryUsage.rss());
  metrics.onScrape("memory", { kind: "heap_used" }, () => process.memoryUsage().heapUsed);
  metrics.onScrape("memory", { kind: "heap_size" }, () => process.memoryUsage().heapTotal);
  metrics.onScrape("memory", { kind: "external" }, () => process.memoryUsage().external);
  metrics.onScrape("memory", { kind: "array_buffers" }, () => process.memoryUsage().arrayBuffers);
  metrics.onScrape("cpu", { mode: "user" }, () => process.cpuUsage().user / microsecondsPerSecond);
  metrics.onScrape("cpu", { mode: "system" }, () => process.cpuUsage().system / microsecondsPerSecond);
  metrics.gauge("startTime", {}).set(performance.timeOrigin / millisecondsPerSecond);
  return () => delay.disable();
}
