/**
 * Runs the variants of one prototype bench, each in a process of its own, interleaved over several
 * rounds, and prints the median of every figure as a Markdown table.
 *
 * Why processes: one variant's compiled code, heap and malloc state must not help or hurt the next.
 * Why medians of CPU time: the machine is shared, so wall time says more about the neighbours.
 * A child that lasts longer than `childLifeMs` ends itself; nothing listens on other than loopback.
 */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";

export type Params = Readonly<Record<string, string | number | boolean>>;
export type Variant = {
  name: string;
  params: Params;
  /** Environment added to the child's, for malloc and libuv settings. */
  env?: Record<string, string>;
  nodeFlags?: string[];
};
export type Figures = Record<string, number>;

const childLifeMs = 90_000;
export const mebibyte = 1024 * 1024;
export const gibibyte = 1024 * mebibyte;

/** CPU seconds, user and system, of all threads of this process since `from`. */
export function cpuSeconds(from?: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(from);
  return (used.user + used.system) / 1e6;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function text(params: Params, key: string): string {
  return String(params[key] ?? "");
}

export function count(params: Params, key: string, otherwise = 0): number {
  const value = params[key];
  return typeof value === "number" ? value : otherwise;
}

/**
 * Writes and removes a scratch file, so that the page cache's next pages are ones the host already
 * gave to this virtual machine: a first touch costs ten times the write itself and is not ours.
 */
export function warmPageCache(folder: string, bytes: number): void {
  const scratch = path.join(folder, "scratch");
  const fd = fs.openSync(scratch, "w");
  const block = Buffer.alloc(mebibyte, 1);
  for (let written = 0; written < bytes; written += mebibyte) fs.writeSync(fd, block);
  fs.closeSync(fd);
  fs.rmSync(scratch);
}

function runChild(program: string, variant: Variant): Promise<Figures> {
  const args = [...(variant.nodeFlags ?? []), program, "--child", JSON.stringify(variant.params)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { ...process.env, ...variant.env } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${variant.name}: ${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Figures);
    });
  });
}

function printTable(title: string, results: Map<string, Figures[]>): void {
  const names = new Set<string>();
  for (const rows of results.values()) for (const row of rows) for (const key of Object.keys(row)) names.add(key);
  const columns = [...names];
  console.log(`\n## ${title}`);
  console.log(`| variant | ${columns.join(" | ")} |`);
  console.log(`| --- |${columns.map(() => " ---: |").join("")}`);
  for (const [name, rows] of results) {
    const cells = columns.map((column) => {
      const values = rows.map((row) => row[column]).filter((value) => value !== undefined);
      return values.length === 0 ? "" : Number(median(values).toPrecision(3)).toString();
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

type Bench = {
  title: string;
  /** Path of the bench file itself; it is started again as `--child`. */
  program: string;
  variants: Variant[];
  /** Measures one variant inside its own process. */
  child: (params: Params) => Promise<Figures>;
  /** The other end of a socket, started by `startPeer`. */
  peer?: (params: Params) => void;
};

/** Entry point of every bench file: parent, child or peer, by the first argument. */
export async function main(bench: Bench): Promise<void> {
  const [role, json] = process.argv.slice(2);
  if (role === "--child" || role === "--peer") {
    setTimeout(() => process.exit(3), childLifeMs).unref();
    const params = JSON.parse(json ?? "{}") as Params;
    if (role === "--peer") {
      process.on("disconnect", () => process.exit(0));
      bench.peer?.(params);
      return;
    }
    console.log(JSON.stringify(await bench.child(params)));
    process.exit(0);
  }
  const rounds = Number(process.env["ROUNDS"] ?? 3);
  const only = new RegExp(role ?? "");
  const variants = bench.variants.filter((variant) => only.test(variant.name));
  const results = new Map<string, Figures[]>(variants.map((variant) => [variant.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of variants) results.get(variant.name)?.push(await runChild(bench.program, variant));
  }
  printTable(`${bench.title} (median of ${rounds})`, results);
}

/** Starts the other end of a socket in its own process, so that its CPU is not counted. */
export async function startPeer(program: string, params: Params): Promise<ChildProcess> {
  const peer = fork(program, ["--peer", JSON.stringify(params)], { execArgv: [] });
  await once(peer, "spawn");
  return peer;
}
