/**
 * The broker process: `node broker/main.ts --config FILE`. One JSON line on stdout when it serves, JSON log lines on
 * stderr. SIGTERM or SIGINT shuts it down in order (a second one at once); so does the end of the channel to the
 * process that forked it, so that no broker outlives its supervisor.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readBrokerConfig } from "../shared/broker-config/broker-config.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { BrokerProcess } from "./broker-process.ts";
import { startBufferCollector } from "./buffer-collector.ts";

const exitCodes = { usage: 2, failed: 1, clean: 0, forced: 130 } as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: "string" } } });
  if (values.config === undefined) {
    process.stderr.write("usage: node broker/main.ts --config FILE\n");
    process.exit(exitCodes.usage);
  }
  const read = readBrokerConfig(JSON.parse(await readFile(values.config, "utf8")));
  if (read.kind === "invalid") {
    process.stderr.write(`${values.config}: ${read.problems.join("; ")}\n`);
    process.exit(exitCodes.usage);
  }
  startBufferCollector(systemTimers, () => process.memoryUsage().arrayBuffers);
  const broker = new BrokerProcess(read.config);
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(exitCodes.forced);
    stopping = true;
    broker.stop().then(
      () => process.exit(exitCodes.clean),
      (error: unknown) => broker.die("shutdown-failed", error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
  process.on("uncaughtException", (error) => broker.die("uncaught-exception", error));
  process.on("unhandledRejection", (error) => broker.die("unhandled-rejection", error));
  const ready = await broker.start();
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: "error", event: "broker-not-started", error: String(error) })}\n`);
  process.exit(exitCodes.failed);
});
