/** Containers by podman on runc; needs root. CONTAINERS_CONF is set by `run.sh`. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Longest a command of podman takes that does not wait for a container. */
const commandMsMax = 60_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs podman to its end, whatever it says. */
export async function tryPodman(args: readonly string[], msMax = commandMsMax): Promise<CommandResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)("podman", [...args], {
      timeout: msMax,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { readonly code?: unknown; readonly stdout?: string; readonly stderr?: string };
    const code = typeof failed.code === "number" ? failed.code : -1;
    return { code, stdout: failed.stdout ?? "", stderr: failed.stderr ?? String(error) };
  }
}

/** Runs podman; resolves with what it printed, rejects with what it complained of. */
export async function podman(args: readonly string[], msMax = commandMsMax): Promise<string> {
  const { code, stdout, stderr } = await tryPodman(args, msMax);
  if (code !== 0) throw new Error(`podman ${args.slice(0, 3).join(" ")}: exit code ${code}: ${stderr.trim()}`);
  return stdout.trim();
}
