/**
 * What one append costs: a file per partition or one shared journal, sync or async, at several
 * numbers of partitions and sizes. ADR 0003.
 *
 *   node bench/prototype/log-append.ts [name pattern]        ROUNDS=3
 *
 * Appends arrive `perTurn` at a time in event-loop turns, spread evenly over the partitions, with
 * at most `outstandingMax` unfinished. With `paceMs` a turn happens every so many milliseconds, as
 * on a broker with time to spare: then every async write pays for waking a pool thread and the loop.
 * CPU counts all threads of the process, not the kernel's own writeback threads.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parentPort, Worker } from "node:worker_threads";
import {
  count,
  cpuSeconds,
  type Figures,
  main,
  mebibyte,
  type Params,
  percentile,
  text,
  warmPageCache,
} from "./harness.ts";

const outstandingMax = 256;
/** The process may open 20,000 files here; the rest is reopened as a bounded cache would. */
const openFilesMax = 19_000;

/** Where the bytes go. `done` is called when the append is written. */
type Log = { append: (partition: number, batch: Buffer, done: () => void) => void; endTurn: () => void };
type LogFile = { fd: number; end: number; pending: Buffer[]; waiting: (() => void)[]; busy: boolean };

function openFiles(folder: string, partitions: number): LogFile[] {
  const files: LogFile[] = [];
  for (let i = 0; i < Math.min(partitions, openFilesMax); i += 1) {
    const fd = fs.openSync(path.join(folder, `${i}.log`), "w");
    files.push({ fd, end: 0, pending: [], waiting: [], busy: false });
  }
  return files;
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}

let syscalls = 0;
const stalls: number[] = [];

/** Async: one write in flight per file; what arrives meanwhile goes into the next writev. */
function startWrite(file: LogFile, again = true): void {
  const buffers = file.pending;
  const waiting = file.waiting;
  file.pending = [];
  file.waiting = [];
  file.busy = true;
  syscalls += 1;
  const finish = (error: Error | null, written: number): void => {
    if (error) throw error;
    file.end += written;
    file.busy = false;
    for (const done of waiting) done();
    if (again && file.pending.length > 0) startWrite(file);
  };
  const only = buffers.length === 1 ? buffers[0] : undefined;
  if (only) fs.write(file.fd, only, 0, only.length, file.end, finish);
  else fs.writev(file.fd, buffers, file.end, finish);
}

function writeNow(file: LogFile, buffers: Buffer[]): void {
  syscalls += 1;
  const started = performance.now();
  const only = buffers.length === 1 ? buffers[0] : undefined;
  if (only) file.end += fs.writeSync(file.fd, only, 0, only.length, file.end);
  else file.end += fs.writevSync(file.fd, buffers, file.end);
  stalls.push(performance.now() - started);
}

function asyncFiles(files: LogFile[]): Log {
  return {
    append(partition, batch, done) {
      const file = must(files[partition % files.length]);
      file.pending.push(batch);
      file.waiting.push(done);
      if (!file.busy) startWrite(file);
    },
    endTurn() {},
  };
}

/** Sync, at once: one pwrite an append. */
function syncFiles(files: LogFile[]): Log {
  return {
    append(partition, batch, done) {
      writeNow(must(files[partition % files.length]), [batch]);
      done();
    },
    endTurn() {},
  };
}

/** At the end of a turn every touched file gets one write; sync or async. */
function turnFiles(files: LogFile[], write: (file: LogFile) => void): Log {
  let touched: LogFile[] = [];
  return {
    append(partition, batch, done) {
      const file = must(files[partition % files.length]);
      if (file.pending.length === 0) touched.push(file);
      file.pending.push(batch);
      file.waiting.push(done);
    },
    endTurn() {
      const now = touched;
      touched = [];
      for (const file of now) if (file.pending.length > 0) write(file);
    },
  };
}

function flushSync(file: LogFile): void {
  const { pending, waiting } = file;
  file.pending = [];
  file.waiting = [];
  writeNow(file, pending);
  for (const done of waiting) done();
}

function flushAsync(file: LogFile): void {
  if (!file.busy) startWrite(file);
}

/**
 * At the end of a turn, async, with at most `atOnce` writes under way in the whole process: files
 * wait for their turn in a queue, and what arrives for them meanwhile joins their next write.
 */
function limitedFiles(files: LogFile[], atOnce: number): Log {
  const ready: LogFile[] = [];
  const touched: LogFile[] = [];
  let underWay = 0;
  const begin = (): void => {
    while (underWay < atOnce) {
      const file = ready.shift();
      if (file === undefined) return;
      underWay += 1;
      file.waiting.push(() => {
        underWay -= 1;
        if (file.pending.length > 0) ready.push(file);
        begin();
      });
      startWrite(file, false);
    }
  };
  return {
    append(partition, batch, done) {
      const file = must(files[partition % files.length]);
      if (file.pending.length === 0 && !file.busy) touched.push(file);
      file.pending.push(batch);
      file.waiting.push(done);
    },
    endTurn() {
      for (const file of touched) ready.push(file);
      touched.length = 0;
      begin();
    },
  };
}

/** What a writer thread is told each turn: fd, position, length, three numbers a write. */
type Order = { numbers: Float64Array; bytes: Uint8Array };

/** A thread of our own does the sync writes; one message a turn there, one back. */
function threadFiles(files: LogFile[], shared: Uint8Array): Log {
  const worker = new Worker(import.meta.filename);
  worker.unref();
  let orders: number[] = [];
  let waiting: (() => void)[] = [];
  let flying: (() => void)[] = [];
  let busy = false;
  const send = (): void => {
    if (busy || orders.length === 0) return;
    busy = true;
    flying = waiting;
    waiting = [];
    syscalls += orders.length / 3;
    worker.postMessage({ numbers: Float64Array.from(orders), bytes: shared } satisfies Order);
    orders = [];
  };
  worker.on("message", () => {
    busy = false;
    for (const done of flying) done();
    send();
  });
  return {
    append(partition, batch, done) {
      const file = must(files[partition % files.length]);
      orders.push(file.fd, file.end, batch.length);
      file.end += batch.length;
      waiting.push(done);
    },
    endTurn: send,
  };
}

function writerThread(port: NonNullable<typeof parentPort>): void {
  port.on("message", ({ numbers, bytes }: Order) => {
    for (let i = 0; i < numbers.length; i += 3) {
      fs.writeSync(must(numbers[i]), bytes, 0, must(numbers[i + 2]), must(numbers[i + 1]));
    }
    port.postMessage(0);
  });
}

function makeLog(mode: string, folder: string, partitions: number): Log {
  if (mode === "journal-async") return turnFiles(openFiles(folder, 1), flushAsync);
  if (mode === "journal-sync") return turnFiles(openFiles(folder, 1), flushSync);
  const files = openFiles(folder, partitions);
  if (mode === "async") return asyncFiles(files);
  if (mode === "async-turn") return turnFiles(files, flushAsync);
  if (mode === "sync") return syncFiles(files);
  if (mode === "sync-turn") return turnFiles(files, flushSync);
  if (mode === "thread") return threadFiles(files, new Uint8Array(new SharedArrayBuffer(262_144)));
  if (mode.startsWith("limited")) return limitedFiles(files, Number(mode.slice(-1)));
  if (mode === "none") return { append: (_partition, _batch, done) => done(), endTurn() {} };
  throw new Error(`no mode ${mode}`);
}

async function runAppends(log: Log, params: Params, appends: number): Promise<void> {
  const batch = Buffer.alloc(count(params, "size"), 7);
  const partitions = count(params, "partitions");
  const perTurn = count(params, "perTurn", 8);
  const paceMs = count(params, "paceMs");
  let started = 0;
  let finished = 0;
  const done = (): void => {
    finished += 1;
  };
  let partition = 0;
  while (finished < appends) {
    for (let i = 0; i < perTurn && started < appends && started - finished < outstandingMax; i += 1) {
      // A prime stride: neighbours in time are not neighbours on disk.
      partition = (partition + 7919) % partitions;
      log.append(partition, batch, done);
      started += 1;
    }
    log.endTurn();
    await (paceMs > 0 ? sleep(paceMs) : nextTurn());
  }
}

async function child(params: Params): Promise<Figures> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "balafon-append-"));
  try {
    const log = makeLog(text(params, "mode"), folder, count(params, "partitions"));
    const appends = Math.min(count(params, "appends", 20_000), Math.floor((160 * mebibyte) / count(params, "size")));
    await runAppends(log, params, Math.min(2_000, appends >> 2));
    warmPageCache(folder, appends * count(params, "size") * 1.5);
    syscalls = 0;
    stalls.length = 0;
    const from = process.cpuUsage();
    await runAppends(log, params, appends);
    const used = cpuSeconds(from);
    const figures: Figures = {
      "us/append": (used / appends) * 1e6,
      "CPU-s/GiB": (used * 1024 * mebibyte) / (appends * count(params, "size")),
      "appends/syscall": appends / Math.max(1, syscalls),
    };
    if (stalls.length > 0) figures["sync p99.9 ms"] = percentile(stalls, 0.999);
    if (stalls.length > 0) figures["sync max ms"] = percentile(stalls, 1);
    return figures;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Named = { name: string; params: Params; env?: Record<string, string> };

function variants(): Named[] {
  const all: Named[] = [];
  const modes = ["none", "async", "async-turn", "sync", "sync-turn", "journal-async", "journal-sync"];
  for (const size of [1024, 16_384, 262_144]) {
    for (const partitions of [1, 60, 1_000, 20_000]) {
      for (const mode of modes) {
        const name = `full ${size / 1024}KiB p${partitions} ${mode}`;
        all.push({ name, params: { mode, size, partitions, perTurn: 16, appends: 20_000 } });
      }
    }
  }
  for (const size of [1024, 16_384, 262_144]) {
    for (const mode of modes) {
      const name = `paced ${size / 1024}KiB p60 ${mode}`;
      all.push({ name, params: { mode, size, partitions: 60, perTurn: 2, paceMs: 1, appends: 1_500 } });
    }
  }
  return all;
}

/** The libuv pool's size, and a writer thread of our own in its place. */
function poolVariants(): Named[] {
  const all: Named[] = [];
  for (const [label, shape] of [
    ["full", { perTurn: 16, appends: 20_000 }],
    ["paced", { perTurn: 2, paceMs: 1, appends: 1_500 }],
  ] as const) {
    for (const size of [1024, 16_384]) {
      for (const pool of [1, 2, 4, 8]) {
        const params = { mode: "async-turn", size, partitions: 60, ...shape };
        const env = { UV_THREADPOOL_SIZE: String(pool) };
        all.push({ name: `pool ${label} ${size / 1024}KiB async-turn ${pool} threads`, params, env });
      }
      for (const mode of ["sync-turn", "thread", "limited 1", "limited 2", "limited 4"]) {
        const params = { mode, size, partitions: 60, ...shape };
        const env = { UV_THREADPOOL_SIZE: "8" };
        all.push({ name: `pool ${label} ${size / 1024}KiB ${mode}${/l/.test(mode) ? " of 8" : ""}`, params, env });
      }
    }
  }
  return all;
}

if (parentPort !== null) writerThread(parentPort);
else
  await main({
    title: "log append",
    program: import.meta.filename,
    variants: [...variants(), ...poolVariants()],
    child,
  });
