/**
 * The router process: `node router/main.ts --config FILE`. One JSON line on stdout when it serves, JSON log lines on
 * stderr. SIGTERM or SIGINT drains it (a second one ends it at once); so does the end of the channel to the process that
 * forked it.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readRouterConfig } from "./router-config.ts";
import { RouterProcess } from "./router-process.ts";
import { keepHeapSmall } from "./small-heap.ts";

const exitCodes = { usage: 2, failed: 1, clean: 0, forced: 130 } as const;

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
  const router = new RouterProcess(read.config);
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(exitCodes.forced);
    stopping = true;
    router.stop().then(
      () => process.exit(exitCodes.clean),
      (error: unknown) => router.die("shutdown-failed", error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
  process.on("uncaughtException", (error) => router.die("uncaught-exception", error));
  process.on("unhandledRejection", (error) => router.die("unhandled-rejection", error));
  const ready = await router.start();
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: "error", event: "router-not-started", error: String(error) })}\n`);
  process.exit(exitCodes.failed);
});
