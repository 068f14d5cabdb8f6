/**
 * What a disk that stops for a while does to a broker's heartbeats: appends of 16 KiB at 50 MB/s,
 * sync or async, while a 10 ms timer notes how late it runs. ADR 0003.
 *
 *   DIR=<folder on a scratch file system> node bench/prototype/slow-disk.ts [name pattern]
 *
 * `slow-disk.sh` makes the scratch file system (a loop device in a mount namespace of its own, root),
 * freezes it for 2 s in the middle of each run and sets a small limit of dirty bytes for the second run.
 */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { count, cpuSeconds, type Figures, main, type Params, percentile, text } from "./harness.ts";

const folder = process.env["DIR"];
const runMs = 6_000;
const batch = Buffer.alloc(16_384, 7);
/** What a leader would refuse to take above this: the bound on memory waiting for the disk. */
const outstandingMax = 2_000;

async function child(params: Params): Promise<Figures> {
  if (!folder) throw new Error("set DIR");
  const file = path.join(folder, `log-${process.pid}`);
  const fd = fs.openSync(file, "w");
  const late: number[] = [];
  let expected = performance.now() + 10;
  const beat = setInterval(() => {
    late.push(performance.now() - expected);
    expected = performance.now() + 10;
  }, 10);
  const perSecond = count(params, "perSecond");
  const started = performance.now();
  const from = process.cpuUsage();
  let end = 0;
  let outstanding = 0;
  let appends = 0;
  while (performance.now() - started < runMs) {
    const due = ((performance.now() - started) / 1000) * perSecond;
    for (let i = 0; appends < due && i < 200 && outstanding < outstandingMax; i += 1) {
      appends += 1;
      if (text(params, "mode") === "sync") fs.writeSync(fd, batch, 0, batch.length, end);
      else {
        outstanding += 1;
        fs.write(fd, batch, 0, batch.length, end, () => {
          outstanding -= 1;
        });
      }
      end = (end + batch.length) % (256 * 1024 * 1024);
    }
    await sleep(1);
  }
  clearInterval(beat);
  const used = cpuSeconds(from);
  while (outstanding > 0) await sleep(5);
  fs.closeSync(fd);
  fs.rmSync(file);
  return {
    "heartbeat late p99 ms": percentile(late, 0.99),
    "late max ms": percentile(late, 1),
    "appends/s": appends / (runMs / 1000),
    "us/append": (used / appends) * 1e6,
  };
}

const variants = ["sync", "async"].flatMap((mode) => [
  { name: `${mode} 50 MB/s`, params: { mode, perSecond: 3_200 } },
  { name: `${mode} as fast as it goes`, params: { mode, perSecond: 60_000 } },
]);
await main({ title: "slow disk", program: import.meta.filename, variants, child });
