/**
 * Resident memory of a process that takes in 1 MiB frames at 200 MB/s, keeps the newest 32 MiB and
 * forgets the rest: by allocation, by V8's semi-space, by malloc's settings. ADR 0002.
 *
 *   node bench/prototype/memory-frames.ts [name pattern]        ROUNDS=3 RUN_SECONDS=5
 *
 * `alloc` makes a Buffer a frame, `ring` reuses slabs, `data` is what net's 'data' events allocate
 * themselves (64 KiB reads) copied into an allocated frame. A little JSON work makes young garbage.
 */

import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { count, cpuSeconds, type Figures, main, mebibyte, type Params, percentile, text } from "./harness.ts";

const framesPerSecond = 200;
const keptFrames = 32;
const chunkBytes = 64 * 1024;
const source = Buffer.alloc(mebibyte, 7);

type Take = () => Buffer;

function takeFrom(mode: string): Take {
  if (mode === "pool") return () => Buffer.allocUnsafe(mebibyte);
  if (mode === "ring") {
    const slabs = Array.from({ length: keptFrames + 8 }, () => Buffer.allocUnsafeSlow(mebibyte));
    let next = 0;
    return () => slabs[next++ % slabs.length] as Buffer;
  }
  return () => Buffer.allocUnsafeSlow(mebibyte);
}

/** Fills a frame as a socket would: 16 reads of 64 KiB, each allocated when `chunked`. */
function fill(frame: Buffer, chunked: boolean): void {
  if (!chunked) {
    source.copy(frame);
    return;
  }
  for (let at = 0; at < mebibyte; at += chunkBytes) {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes);
    source.copy(chunk, 0, at, at + chunkBytes);
    chunk.copy(frame, at);
  }
}

async function child(params: Params): Promise<Figures> {
  const mode = text(params, "mode");
  const take = takeFrom(mode);
  const kept: Buffer[] = [];
  const rss: number[] = [];
  const pauses: number[] = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) pauses.push(entry.duration);
  }).observe({ entryTypes: ["gc"] });
  const seconds = Number(process.env["RUN_SECONDS"] ?? 5);
  const started = performance.now();
  let from = process.cpuUsage();
  let frames = 0;
  let warm = false;
  while (performance.now() - started < (seconds + 1) * 1000) {
    const due = Math.min(frames + 10, ((performance.now() - started) / 1000) * framesPerSecond);
    for (; frames < due; frames += 1) {
      const frame = take();
      fill(frame, mode === "data");
      kept.push(frame);
      if (kept.length > keptFrames) kept.shift();
      for (let i = 0; i < count(params, "garbage", 20); i += 1) JSON.parse('{"topic":"orders","partition":[1,2,3]}');
    }
    if (!warm && performance.now() - started > 1000) {
      warm = true;
      from = process.cpuUsage();
      frames = framesPerSecond;
    }
    if (warm) rss.push(process.memoryUsage.rss() / mebibyte);
    await sleep(5);
  }
  return {
    "RSS median MiB": percentile(rss, 0.5),
    "RSS max MiB": percentile(rss, 1),
    "CPU-s/GiB": (cpuSeconds(from) * 1024) / (seconds * framesPerSecond),
    "GC pauses/s": pauses.length / seconds,
    "GC max ms": percentile(pauses, 1),
  };
}

type Settings = { label: string; env?: Record<string, string>; nodeFlags?: string[] };
const settings: Settings[] = [
  { label: "default" },
  { label: "semi 1", nodeFlags: ["--max-semi-space-size=1"] },
  { label: "semi 64", nodeFlags: ["--max-semi-space-size=64"] },
  { label: "arena 1", env: { MALLOC_ARENA_MAX: "1" } },
  { label: "mmap 128K", env: { MALLOC_MMAP_THRESHOLD_: "131072" } },
  { label: "trim 128K", env: { MALLOC_TRIM_THRESHOLD_: "131072" } },
  {
    label: "arena 2, mmap 64M, trim 64M",
    env: { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "67108864" },
  },
  { label: "arena 2, mmap 512K", env: { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "524288" } },
];

const modes = ["alloc", "data", "ring"];
const variants = modes.flatMap((mode) =>
  settings.map(({ label, ...rest }) => ({ name: `${mode}: ${label}`, params: { mode }, ...rest })),
);
await main({ title: "memory of frames", program: import.meta.filename, variants, child });
