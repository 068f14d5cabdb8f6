/** `npm start`: the whole cloud on one machine. */
import path from "node:path";
import { cellConfigProblem } from "./cell-configs.ts";
import { CellMetadataError } from "./cell-metadata.ts";
import { parseStartCommand, type StartOptions } from "./command-line/start-options.ts";
import { isStartedByNpm } from "./config.ts";
import { DataDirectoryError, dataLayout, defaultDataDirectory } from "./data-directory.ts";
import { parentWatchMs, sameSignalMs } from "./limits.ts";
import { LocalCloud, StartError } from "./local-cloud.ts";
import { summaryLine, summaryText } from "./summary.ts";
import { KeptProcessError } from "./supervisor/kept-process.ts";

const exitCodes = { clean: 0, failed: 1, usage: 2, forced: 130 } as const;

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

function refuse(problem: string): never {
  say(`${problem}\nnpm start -- --help explains the options.`);
  process.exit(exitCodes.usage);
}

/** Whoever read what it says, such as a `tee`, may end before it does, and nobody is left to be told: the cloud goes on. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/** Ctrl-C, a plain kill and a closed terminal end everything in order; a second one, at once. */
function endOnSignals(cloud: LocalCloud): void {
  let firstMs: number | undefined;
  const onSignal = () => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      say("Ending: brokers first, then the store. Once more to end at once.");
      cloud.end().then(
        () => process.exit(exitCodes.clean),
        (error: unknown) => {
          say(`could not end in order: ${String(error)}`);
          cloud.forceEnd();
          process.exit(exitCodes.failed);
        },
      );
    } else if (performance.now() - firstMs > sameSignalMs) {
      cloud.forceEnd();
      process.exit(exitCodes.forced);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  if (isStartedByNpm()) watchParent(onSignal);
}

/** npm hands Ctrl-C on, but it may be killed itself, and nobody would be left to end the cloud. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, parentWatchMs);
  timer.unref();
}

/** The machine's answer (a full disk, a missing right), which says more to a person than where in the code it came. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}

async function start(options: StartOptions): Promise<void> {
  const layout = dataLayout(path.resolve(options.dataDirectory ?? defaultDataDirectory));
  const cloud = new LocalCloud({ start: options, layout, say });
  endOnSignals(cloud);
  try {
    const summary = await cloud.start();
    process.stdout.write(options.json ? `${summaryLine(summary)}\n` : summaryText(summary));
  } catch (error) {
    // Ctrl-C during the start: the end in order is under way.
    if (cloud.ending) return;
    cloud.forceEnd();
    throw error;
  }
}

const command = parseStartCommand(process.argv.slice(2));
if (command.kind === "refused") refuse(command.problem);
if (command.kind === "help") {
  process.stdout.write(command.text);
} else {
  outliveReaders();
  const problem = cellConfigProblem(command.options.cellConfigs);
  if (problem !== undefined) refuse(problem);
  start(command.options).catch((error: unknown) => {
    const expected =
      error instanceof StartError ||
      error instanceof DataDirectoryError ||
      error instanceof CellMetadataError ||
      error instanceof KeptProcessError;
    if (expected) say(error.message);
    else if (isSystemError(error)) say(`cannot start: ${error.message}`);
    else say(String(error instanceof Error ? error.stack : error));
    process.exit(exitCodes.failed);
  });
}
