import { systemClock } from "../ports/clock.ts";
import { createJsonLogger, type Logger } from "./logger.ts";
import type { MetricsRegistry } from "./metrics-registry.ts";

/** The logger of a whole process: JSON lines on standard error from `info` up, counted by level in `logLines`. */
export function createProcessLogger(metrics: MetricsRegistry, fields: Parameters<typeof createJsonLogger>[1]): Logger {
  const lines = {
    debug: metrics.counter("logLines", { level: "debug" }),
    info: metrics.counter("logLines", { level: "info" }),
    warn: metrics.counter("logLines", { level: "warn" }),
    error: metrics.counter("logLines", { level: "error" }),
  };
  return createJsonLogger(
    {
      clock: systemClock,
      level: "info",
      write: (line) => process.stderr.write(line),
      onLine: (level) => lines[level].add(1),
    },
    fields,
  );
}
