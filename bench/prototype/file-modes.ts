/**
 * Small questions about log files: position or O_APPEND, preallocation, header + payload writev,
 * reopening, fdatasync of many dirty files, and what a slow sync does to the writers. ADR 0003.
 *
 *   node bench/prototype/file-modes.ts [name pattern]        ROUNDS=3
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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

const fileBytes = 128 * mebibyte;

function withFolder<T>(run: (folder: string) => T): T {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "balafon-files-"));
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  const result = run(folder);
  if (result instanceof Promise) return result.finally(remove) as T;
  remove();
  return result;
}

/** One file, sequential appends, sync: only the way of writing differs. */
function writeWays(params: Params, folder: string): Figures {
  const way = text(params, "way");
  const size = count(params, "size");
  const batch = Buffer.alloc(size, 7);
  const header = Buffer.alloc(61, 1);
  const gathered = Buffer.alloc(size + 61);
  const file = path.join(folder, "0.log");
  if (way === "recycled") fs.writeFileSync(file, Buffer.alloc(fileBytes, 1));
  const fd = fs.openSync(file, way === "recycled" ? "r+" : way === "append" ? "a" : "w");
  if (way === "sparse") fs.ftruncateSync(fd, fileBytes);
  warmPageCache(folder, fileBytes * 1.5);
  const appends = Math.min(100_000, Math.floor(fileBytes / (size + 61)));
  const from = process.cpuUsage();
  let end = 0;
  for (let i = 0; i < appends; i += 1) {
    if (way === "append") fs.writeSync(fd, batch, 0, size, null);
    else if (way === "writev 2") end += fs.writevSync(fd, [header, batch], end);
    else if (way === "writev 16") end += fs.writevSync(fd, Array(16).fill(batch.subarray(0, size >> 4)), end);
    else if (way === "copy + write") {
      header.copy(gathered, 0);
      batch.copy(gathered, 61);
      end += fs.writeSync(fd, gathered, 0, size + 61, end);
    } else if (way === "two writes") {
      end += fs.writeSync(fd, header, 0, 61, end);
      end += fs.writeSync(fd, batch, 0, size, end);
    } else end += fs.writeSync(fd, batch, 0, size, end);
  }
  const figures = { "us/append": (cpuSeconds(from) / appends) * 1e6 };
  fs.closeSync(fd);
  return figures;
}

/** What a miss in the open-file cache costs: close one, open another for reading and writing. */
async function reopen(params: Params, folder: string): Promise<Figures> {
  const files = count(params, "files");
  for (let i = 0; i < files; i += 1) fs.writeFileSync(path.join(folder, `${i}.log`), "x");
  const from = process.cpuUsage();
  for (let i = 0; i < files; i += 1) {
    const name = path.join(folder, `${(i * 7919) % files}.log`);
    if (text(params, "way") === "sync") fs.closeSync(fs.openSync(name, "r+"));
    else {
      await new Promise<void>((resolve, reject) => {
        fs.open(name, "r+", (error, fd) => (error ? reject(error) : fs.close(fd, () => resolve())));
      });
    }
  }
  return { "us/reopen": (cpuSeconds(from) / files) * 1e6 };
}

/** Runs `task` for every item, at most `atOnce` at a time. */
async function bounded<T>(items: T[], atOnce: number, task: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await task(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function datasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
}

/**
 * Rounds of: make `files` files dirty by 16 KiB each, then fdatasync them all, while a prober writes
 * 16 KiB every 2 ms to files of its own, sync or async, and notes how long each took.
 */
async function syncAll(params: Params, folder: string): Promise<Figures> {
  const files = count(params, "files");
  const batch = Buffer.alloc(count(params, "size", 16_384), 7);
  const fds = Array.from({ length: files }, (_, i) => fs.openSync(path.join(folder, `${i}.log`), "w"));
  const small = Buffer.alloc(16_384, 7);
  const probe = fs.openSync(path.join(folder, "probe"), "w");
  const probes: number[] = [];
  // The prober appends to a file that is being synced too.
  fds.push(probe);
  let probing = true;
  let cpuOfSync = 0;
  const took: number[] = [];
  const prober = (async () => {
    for (let end = 0; probing; end += small.length) {
      await sleep(2);
      const started = performance.now();
      if (text(params, "probe") === "sync") fs.writeSync(probe, small, 0, small.length, end);
      else await new Promise((resolve) => fs.write(probe, small, 0, small.length, end, resolve));
      probes.push(performance.now() - started);
    }
  })();
  for (let round = 0; round < 5; round += 1) {
    for (const fd of fds.slice(0, files)) fs.writeSync(fd, batch, 0, batch.length, round * batch.length);
    const started = performance.now();
    const from = process.cpuUsage();
    await bounded(fds, count(params, "atOnce"), datasync);
    cpuOfSync += cpuSeconds(from);
    took.push(performance.now() - started);
    await sleep(Math.max(0, 400 - (performance.now() - started)));
  }
  probing = false;
  await prober;
  return {
    "us/fdatasync": (cpuOfSync / 5 / files) * 1e6,
    "all files ms": percentile(took, 0.5),
    "probe p50 ms": percentile(probes, 0.5),
    "probe p99 ms": percentile(probes, 0.99),
    "probe max ms": percentile(probes, 1),
  };
}

function child(params: Params): Promise<Figures> {
  return withFolder(async (folder) => {
    const kind = text(params, "kind");
    if (kind === "reopen") return reopen(params, folder);
    if (kind === "sync") return syncAll(params, folder);
    return writeWays(params, folder);
  });
}

type Named = { name: string; params: Params; env?: Record<string, string> };

function variants(): Named[] {
  const all: Named[] = [];
  const ways = ["position", "append", "sparse", "recycled", "writev 2", "writev 16", "copy + write", "two writes"];
  for (const size of [1024, 16_384, 262_144]) {
    for (const way of ways) all.push({ name: `write ${size / 1024}KiB ${way}`, params: { kind: "write", size, way } });
  }
  for (const way of ["sync", "async"]) {
    all.push({ name: `reopen ${way}`, params: { kind: "reopen", way, files: 10_000 } });
  }
  for (const [files, atOnce, pool] of [
    [1, 1, 4],
    [60, 4, 4],
    [1000, 1, 4],
    [1000, 2, 4],
    [1000, 4, 4],
    [1000, 4, 16],
    [1000, 16, 16],
  ] as const) {
    for (const probe of ["sync", "async"]) {
      const name = `fdatasync ${files} files, ${atOnce} at once, pool ${pool}, ${probe} probe`;
      all.push({
        name,
        params: { kind: "sync", files, atOnce, probe },
        env: { UV_THREADPOOL_SIZE: String(pool) },
      });
    }
  }
  // The same dirty bytes in one journal.
  const size = 16_384 * 1000;
  for (const probe of ["sync", "async"]) {
    all.push({
      name: `fdatasync journal of 16 MB, ${probe} probe`,
      params: { kind: "sync", files: 1, atOnce: 1, probe, size },
    });
  }
  return all;
}

await main({ title: "file modes", program: import.meta.filename, variants: variants(), child });
