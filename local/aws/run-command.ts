import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { outputLinesShown } from "./limits.ts";

/** A command failed; the message is for the person who started it. */
export class CommandError extends Error {
  readonly code = "COMMAND";
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const running = new Set<ChildProcess>();

/** Runs a command in the project's folder; its output is shown only when it fails. Errors: `CommandError`. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly msMax: number },
): Promise<void> {
  const { env, msMax } = options;
  const output: Buffer[] = [];
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], timeout: msMax });
  running.add(child);
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const how = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === null ? `signal ${signal}` : `code ${code}`));
  });
  running.delete(child);
  if (how === "code 0") return;
  const lines = Buffer.concat(output).toString().trimEnd().split("\n").slice(-outputLinesShown);
  throw new CommandError(`${[command, ...args.slice(0, 2)].join(" ")} failed (${how}):\n${lines.join("\n")}`);
}

/** Ends what runs: this process is about to end. */
export function endCommands(): void {
  for (const child of running) child.kill();
}
