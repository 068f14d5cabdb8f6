import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ItemStoreConfig, ObjectStoreConfig } from "../shared/broker-config/broker-config.ts";
import { type DataLayout, dataLayout, dataOption, defaultDataDirectory, writePrivateFile } from "./data-directory.ts";

/** What a running cloud tells the other commands; in `run.json` of the data directory while it runs. */
export interface RunFile {
  readonly pid: number;
  readonly cell: string;
  readonly controlSocket: string;
  readonly items: ItemStoreConfig;
  readonly objects: ObjectStoreConfig;
  readonly authorityFile: string;
  /** Plaintext addresses: `127.0.0.1:9092,…`. */
  readonly bootstrap: string;
  /** SASL_SSL addresses. */
  readonly secureBootstrap: string;
  readonly router: { readonly pid: number | undefined; readonly port: number; readonly adminPort: number };
  /** Brokers that a logical cluster of the first cell may name. */
  readonly firstCell: readonly { readonly id: number; readonly slot: number }[];
  readonly brokers: readonly {
    /** Undefined until it first served. */
    readonly id: number;
    readonly state: string;
    readonly pid: number | undefined;
    readonly port: number;
    readonly tlsPort: number;
    readonly adminPort: number;
  }[];
}

export function writeRunFile(layout: DataLayout, run: RunFile): void {
  writePrivateFile(layout.runFile, `${JSON.stringify(run, undefined, 2)}\n`);
}

export type FoundRun =
  | { readonly kind: "running"; readonly run: RunFile; readonly layout: DataLayout }
  | { readonly kind: "not-running"; readonly message: string };

/** Finds the cloud that runs on the data directory (as typed, or the default one). */
export function findRun(typedDirectory: string | undefined): FoundRun {
  const directory = path.resolve(typedDirectory ?? defaultDataDirectory);
  const layout = dataLayout(directory);
  const option = dataOption(directory);
  const again = option === "" ? "npm start" : `npm start --${option}`;
  const hint = `start it first with ${again}, or name its folder with --data`;
  if (!existsSync(layout.runFile)) return { kind: "not-running", message: `no cloud runs on ${directory}: ${hint}` };
  const run = JSON.parse(readFileSync(layout.runFile, "utf8")) as RunFile;
  if (!isAlive(run.pid)) {
    return { kind: "not-running", message: `the cloud on ${directory} has ended: ${hint}` };
  }
  return { kind: "running", run, layout };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
