import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { socketPathBytesMax } from "./limits.ts";

/** Where everything of a local cloud lies. */
export interface DataLayout {
  readonly directory: string;
  readonly lockFile: string;
  /** What the other commands need to find a running cloud; there while it runs. */
  readonly runFile: string;
  /** What was fixed when the data was made. */
  readonly cellFile: string;
  readonly cellSecretFile: string;
  readonly controlSocket: string;
  readonly storeSocket: string;
  readonly storeDatabase: string;
  /** The control plane's items. */
  readonly controlDatabase: string;
  readonly storeLog: string;
  readonly storeDirectory: string;
  readonly objectsDirectory: string;
  readonly tlsDirectory: string;
  /** For Java clients, and the same for librdkafka and kcat. */
  readonly clientProperties: string;
  readonly librdkafkaProperties: string;
  /** An operator's cloud key of the provisioning API. */
  readonly apiKeyFile: string;
  readonly apiLog: string;
  readonly routerConfig: string;
  readonly routerLog: string;
  broker(slot: number): BrokerLayout;
}

export interface BrokerLayout {
  readonly directory: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly dataDirectory: string;
}

/** Marks a folder as ours, so that `--fresh` can never delete somebody's home. */
const markerName = "balafon-data";
const markerText = "Made by `npm start` of Balafon. `npm start -- --fresh` deletes this folder's content.\n";

export const defaultDataDirectory = fileURLToPath(new URL("../.balafon", import.meta.url));

export function dataLayout(directory: string): DataLayout {
  const at = (...names: string[]) => path.join(directory, ...names);
  return {
    directory,
    lockFile: at("lock"),
    runFile: at("run.json"),
    cellFile: at("cell.json"),
    cellSecretFile: at("cell.secret"),
    controlSocket: socketPath(directory, "control.sock"),
    storeSocket: socketPath(directory, "store.sock"),
    storeDirectory: at("store"),
    storeDatabase: at("store", "items.sqlite"),
    controlDatabase: at("store", "control.sqlite"),
    storeLog: at("store", "store.log"),
    objectsDirectory: at("objects"),
    tlsDirectory: at("tls"),
    clientProperties: at("client.properties"),
    librdkafkaProperties: at("librdkafka.properties"),
    apiKeyFile: at("api-key.json"),
    apiLog: at("api.log"),
    routerConfig: at("router", "config.json"),
    routerLog: at("router", "router.log"),
    broker: (slot) => ({
      directory: at("brokers", String(slot)),
      configFile: at("brokers", String(slot), "config.json"),
      logFile: at("brokers", String(slot), "broker.log"),
      dataDirectory: at("brokers", String(slot), "data"),
    }),
  };
}

/** A Unix socket's path must be short: a deep data directory gets its sockets in the folder for temporary files. */
function socketPath(directory: string, name: string): string {
  const inside = path.join(directory, name);
  if (Buffer.byteLength(inside) <= socketPathBytesMax) return inside;
  const digest = createHash("sha256").update(directory).digest("hex").slice(0, 16);
  return path.join(tmpdir(), `balafon-${digest}`, name);
}

/** The data directory cannot be used; the message is for the person who started it. */
export class DataDirectoryError extends Error {
  readonly code = "DATA_DIRECTORY";
  constructor(message: string) {
    super(message);
    this.name = "DataDirectoryError";
  }
}

/** Held until `release`, or until the process ends in whatever way. */
export interface DataLock {
  release(): void;
}

/**
 * Makes the directory and takes it for this process. Two starts cannot share one: the lock is the operating system's
 * (through SQLite), so it ends with its process and never has to be cleaned up.
 *
 * Errors: `DataDirectoryError` when another process holds it, when it has files that are not ours, or when the machine
 * does not let us write there.
 */
export function claimDataDirectory(layout: DataLayout): DataLock {
  try {
    return claim(layout);
  } catch (error) {
    if (error instanceof DataDirectoryError || !(error instanceof Error)) throw error;
    throw new DataDirectoryError(
      `${layout.directory} cannot be the data directory (${error.message}): pass another folder with --data`,
    );
  }
}

function claim(layout: DataLayout): DataLock {
  const { directory } = layout;
  makePrivateDirectory(directory);
  const marker = path.join(directory, markerName);
  const strangers = existsSync(marker) ? [] : readdirSync(directory);
  if (strangers.length > 0) {
    throw new DataDirectoryError(
      `${directory} holds files that are not Balafon's (${strangers.slice(0, 3).join(", ")}): pass an empty folder with --data`,
    );
  }
  writeFileSync(marker, markerText);
  return lockFile(layout);
}

/** Deletes what earlier starts left. Call it with the lock held. */
export function emptyDataDirectory(layout: DataLayout): void {
  for (const name of readdirSync(layout.directory)) {
    if (name === markerName || name.startsWith(path.basename(layout.lockFile))) continue;
    rmSync(path.join(layout.directory, name), { recursive: true, force: true });
  }
}

/** Sockets that a killed process left would be in the way. Call it with the lock held. */
export function clearSockets(layout: DataLayout): void {
  for (const socket of [layout.controlSocket, layout.storeSocket]) {
    makePrivateDirectory(path.dirname(socket));
    rmSync(socket, { force: true });
  }
}

function lockFile(layout: DataLayout): DataLock {
  const database = new DatabaseSync(layout.lockFile, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const { errcode } = error as { readonly errcode?: number };
    if (errcode !== sqliteBusy) throw error;
    throw new DataDirectoryError(
      `another npm start uses ${layout.directory}: end it, or pass another folder with --data (and other ports)`,
    );
  }
  heldLocks.add(database);
  return {
    release: () => {
      heldLocks.delete(database);
      database.close();
    },
  };
}

/** A database that nobody refers to is closed by the garbage collector, and its lock is gone: they are kept here. */
const heldLocks = new Set<DatabaseSync>();

/** SQLITE_BUSY: another process has the lock. */
const sqliteBusy = 5;

function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivateFile(file: string, content: string | Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.new`;
  writeFileSync(aside, content, { mode: 0o600 });
  // The mode above only holds for a file that was not there before.
  chmodSync(aside, 0o600);
  renameSync(aside, file);
}

/** What a command that is told to a person needs to act on this directory: nothing for the default one. */
export function dataOption(directory: string): string {
  if (path.resolve(directory) === path.resolve(defaultDataDirectory)) return "";
  return ` --data ${/^[\w./@%+:,-]+$/.test(directory) ? directory : `'${directory.replaceAll("'", String.raw`'\''`)}'`}`;
}

const cellSecretBytes = 32;

/** The secret that the cell's brokers share; made once. As hexadecimal text, so that a person can look at the file. */
export function ensureCellSecret(file: string): void {
  if (!existsSync(file)) writePrivateFile(file, `${randomBytes(cellSecretBytes).toString("hex")}\n`);
}

/** What was fixed when the data was made. */
export interface CellFile {
  readonly cell: string;
  /** Of each cell. */
  readonly brokers: number;
  /** Left out by builds that knew one cell only. */
  readonly cells?: number;
}

/** Name of a cell of the fleet: the first has that of the data. */
export function cellName({ cell }: CellFile, index: number): string {
  return index === 0 ? cell : `${cell}-${index + 1}`;
}

/** Brokers of different cells have different ids, and folders: those of the second cell begin at 11. */
export function brokerSlot(cellIndex: number, index: number): number {
  return cellIndex * slotsPerCell + index + 1;
}
const slotsPerCell = 10;

export function readCellFile(layout: DataLayout): CellFile | undefined {
  if (!existsSync(layout.cellFile)) return undefined;
  const parsed = JSON.parse(readFileSync(layout.cellFile, "utf8")) as Partial<CellFile>;
  if (typeof parsed.cell !== "string" || !Number.isInteger(parsed.brokers)) {
    throw new DataDirectoryError(`${layout.cellFile} cannot be read: start with --fresh, or mend it`);
  }
  return parsed as CellFile;
}
