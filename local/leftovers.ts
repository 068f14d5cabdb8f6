import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import type { DataLayout } from "./data-directory.ts";
import { leftoverEndMsMax, leftoverPollMs } from "./limits.ts";
import type { RunFile } from "./run-file.ts";

/**
 * Ends broker processes of a supervisor that was killed, which can be shutting down still, or be paused and so unable to
 * notice. Call it with the lock on the data held: then nobody else owns them.
 */
export async function endLeftovers(layout: DataLayout): Promise<void> {
  const pids = leftoverPids(layout);
  // A paused process hears of its supervisor's end when it is woken.
  for (const pid of pids) signal(pid, "SIGCONT");
  const deadlineMs = performance.now() + leftoverEndMsMax;
  while (pids.some((pid) => isOurs(pid, layout))) {
    if (performance.now() > deadlineMs) {
      for (const pid of pids) if (isOurs(pid, layout)) signal(pid, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, leftoverPollMs));
  }
  rmSync(layout.runFile, { force: true });
}

function leftoverPids(layout: DataLayout): readonly number[] {
  if (!existsSync(layout.runFile)) return [];
  try {
    const run = JSON.parse(readFileSync(layout.runFile, "utf8")) as RunFile;
    return run.brokers.flatMap(({ pid }) => (pid !== undefined && isOurs(pid, layout) ? [pid] : []));
  } catch {
    // Half written at a power cut: no process of then is alive.
    return [];
  }
}

/** Process ids are given out anew: only one that runs on this very data directory is ours. */
function isOurs(pid: number, layout: DataLayout): boolean {
  return commandLine(pid).includes(`${layout.directory}/brokers/`);
}

/** Empty when there is no such process, or none that can be looked at. */
function commandLine(pid: number): string {
  try {
    if (existsSync("/proc/self/cmdline")) return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
  } catch {
    return "";
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
