/**
 * The broker process: `node broker/main.ts --config FILE`. One JSON line on stdout when it serves, JSON log lines on
 * stderr.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readBrokerConfig } from "../shared/broker-config/broker-config.ts";
import { runService } from "../shared/container/run-service.ts";
import { systemTimers } from "../shared/ports/timers.ts";
import { BrokerProcess } from "./broker-process.ts";
import { startBufferCollector } from "./buffer-collector.ts";

const exitCodes = { usage: 2, failed: 1 } as const;

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
  await runService(new BrokerProcess(read.config));
}

// Not when it is only compiled (local/compile-ahead.ts).
if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${JSON.stringify({ level: "error", event: "broker-not-started", error: String(error) })}\n`);
    process.exit(exitCodes.failed);
  });
}
