import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { childLineCharactersMax } from "../limits.ts";
import type { RotatingLog } from "./rotating-log.ts";

export interface ChildProgram {
  /** The file that Node runs. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface ChildEvents {
  /** One JSON object that the child printed as a line on stdout. */
  onLine(line: Readonly<Record<string, unknown>>): void;
  /** What it wrote on stderr, as it came. */
  onLog?(chunk: Buffer): void;
  /** Called once. `how` is for people: `code 1`, `signal SIGKILL`. */
  onExit(how: string): void;
}

/** A running process of the cloud. */
export interface Child {
  readonly pid: number;
  /** False once it has ended. */
  signal(name: NodeJS.Signals): boolean;
}

/**
 * Starts a program of ours on this very Node. It lives in a process group of its own, so that Ctrl-C in the terminal
 * reaches the supervisor alone, which then ends everything in order; it knows of its supervisor's death, even by
 * kill -9, by the end of the channel between them ('disconnect').
 */
export function startChild(program: ChildProgram, log: RotatingLog, events: ChildEvents): Child {
  const child = spawn(process.execPath, [program.file, ...program.args], {
    detached: true,
    env: program.env,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let ended = false;
  const end = (how: string) => {
    if (ended) return;
    ended = true;
    events.onExit(how);
  };
  child.once("error", (error) => end(error.message));
  // 'close' comes after 'exit', when all that the child printed has been read.
  child.once("close", (code, signal) => end(signal === null ? `code ${code}` : `signal ${signal}`));
  child.stderr?.on("data", (chunk: Buffer) => {
    log.write(chunk);
    events.onLog?.(chunk);
  });
  if (child.stdout !== null) {
    readLines(child.stdout, (line) => {
      const parsed = parseObject(line);
      if (parsed === undefined) log.write(`${line}\n`);
      else events.onLine(parsed);
    });
  }
  return {
    pid: child.pid ?? 0,
    signal: (name) => !ended && child.kill(name),
  };
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-childLineCharactersMax);
    for (const line of lines) onLine(line);
  });
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
