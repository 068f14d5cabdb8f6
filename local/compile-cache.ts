import { execFile } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { childEnvironment, compileCache } from "./config.ts";
import { compileAheadMsMax } from "./limits.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** Folders whose code runs in a process of the cloud. */
const compiledFolders = ["broker", "router", "shared", "local"];

/** Its time is when everything was compiled last. */
const marker = path.join(compileCache, "compiled-ahead");

/**
 * Compiles all that brokers, router and store run, once for all of them, unless that is done. Each process that does not
 * find its code compiled loads Node's stripper of types, which costs a second of processor time and 29 MiB until it ends.
 * Without it (a folder that may not be written, say) they do just that.
 */
export async function compileAhead(): Promise<void> {
  if (changedMs(marker) > Math.max(...compiledFolders.map(newestMs))) return;
  try {
    await promisify(execFile)(process.execPath, [path.join(projectRoot, "local/compile-ahead.ts")], {
      env: childEnvironment(),
      timeout: compileAheadMsMax,
    });
    writeFileSync(marker, "");
  } catch {
    // Slower, and as right.
  }
}

/** 0 for a file that is not there (any more). */
function changedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestMs(folder: string): number {
  const names = readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: "utf8" });
  return Math.max(...names.map((name) => changedMs(path.join(projectRoot, folder, name))));
}
