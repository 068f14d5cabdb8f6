import { systemClock } from "../../shared/ports/clock.ts";
import { createJsonLogger, type Logger } from "../../shared/telemetry/logger.ts";

/** JSON lines on stdout, where Lambda takes them from. */
export function functionLogger(name: string): Logger {
  return createJsonLogger(
    { clock: systemClock, level: "info", write: (line) => process.stdout.write(line) },
    { function: name },
  );
}
