/** `npm run deploy:local`: a whole fleet on an AWS emulator. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isStartedByNpm, useEmulator } from "../config.ts";
import { claimDataDirectory, DataDirectoryError, dataLayout, emptyDataDirectory } from "../data-directory.ts";
import { parentWatchMs, sameSignalMs } from "../limits.ts";
import { StartError } from "../local-cloud.ts";
import { deployedLine, deployedText } from "./deployed-summary.ts";
import { Deployment, DeploymentError } from "./deployment.ts";
import { EmulatorError } from "./emulator-client.ts";
import type { DeployOptions } from "./options.ts";
import { parseDeployCommand } from "./options.ts";
import { CommandError, endCommands } from "./run-command.ts";

const exitCodes = { clean: 0, failed: 1, usage: 2, forced: 130 } as const;
const defaultDirectory = fileURLToPath(new URL("../../.balafon-aws", import.meta.url));

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

function fail(error: unknown): never {
  const expected = [DeploymentError, CommandError, EmulatorError, DataDirectoryError, StartError].some(
    (kind) => error instanceof kind,
  );
  say(expected ? String((error as Error).message) : String(error instanceof Error ? error.stack : error));
  process.exit(exitCodes.failed);
}

/** Ctrl-C, a plain kill and a closed terminal; npm and the terminal may both hand one over. */
function endOnSignals(end: () => Promise<void>): void {
  let firstMs: number | undefined;
  const onSignal = () => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      endCommands();
      end().then(() => process.exit(exitCodes.clean), fail);
    } else if (performance.now() - firstMs > sameSignalMs) {
      process.exit(exitCodes.forced);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  if (!isStartedByNpm()) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && firstMs === undefined) onSignal();
  }, parentWatchMs).unref();
}

async function run(options: DeployOptions): Promise<void> {
  const layout = dataLayout(path.resolve(options.dataDirectory ?? defaultDirectory));
  const lock = claimDataDirectory(layout);
  const deployment = new Deployment({ options, layout, say });
  useEmulator(deployment.place);
  endOnSignals(async () => {
    await deployment.end();
    lock.release();
  });
  if (options.destroy) {
    await deployment.destroy();
    emptyDataDirectory(layout);
    lock.release();
    say("Everything that was deployed is removed.");
    return;
  }
  const summary = await deployment.start();
  process.stdout.write(options.json ? `${deployedLine(summary)}\n` : deployedText(summary));
}

const command = parseDeployCommand(process.argv.slice(2));
if (command.kind === "refused") {
  say(`${command.problem}\nnpm run deploy:local -- --help explains the options.`);
  process.exit(exitCodes.usage);
}
if (command.kind === "help") process.stdout.write(command.text);
else run(command.options).catch(fail);
