/**
 * The router process: `node router/main.ts --config FILE`. One JSON line on stdout when it serves, JSON log lines on
 * stderr. SIGTERM or SIGINT drains it.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { runService } from "../shared/container/run-service.ts";
import { readRouterConfig } from "./router-config.ts";
import { RouterProcess } from "./router-process.ts";
import { keepHeapSmall } from "./small-heap.ts";

const exitCodes = { usage: 2, failed: 1 } as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: "string" } } });
  if (values.config === undefined) {
    process.stderr.write("usage: node router/main.ts --config FILE\n");
    process.exit(exitCodes.usage);
  }
  const read = readRouterConfig(JSON.parse(await readFile(values.config, "utf8")));
  if (read.kind === "invalid") {
    process.stderr.write(`${values.config}: ${read.problems.join("; ")}\n`);
    process.exit(exitCodes.usage);
  }
  keepHeapSmall();
  await runService(new RouterProcess(read.config));
}

// Not when it is only compiled (local/compile-ahead.ts).
if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${JSON.stringify({ level: "error", event: "router-not-started", error: String(error) })}\n`);
    process.exit(exitCodes.failed);
  });
}
