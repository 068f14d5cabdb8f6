/**
 * Speed of @node-rs/crc32's crc32c by size, what a small call costs, and whether it allocates.
 *
 *   node bench/prototype/crc32c.ts        ROUNDS=3
 */
import zlib from "node:zlib";
import { crc32c } from "@node-rs/crc32";
import { count, cpuSeconds, type Figures, gibibyte, main, type Params, text } from "./harness.ts";

/** How a checksum over two parts is asked for: at once, or continued with an initial value. */
function once(way: string, data: Buffer): number {
  if (way === "zlib crc32") return zlib.crc32(data);
  if (way === "subarray") return crc32c(data.subarray(1));
  if (way === "chained") return crc32c(data.subarray(data.length >> 1), crc32c(data.subarray(0, data.length >> 1)));
  return crc32c(data);
}

async function child(params: Params): Promise<Figures> {
  const size = count(params, "size");
  const way = text(params, "way");
  const data = Buffer.alloc(size, 0x5a);
  const calls = Math.min(2_000_000, Math.floor((2 * gibibyte) / size));
  let sum = 0;
  for (let i = 0; i < Math.min(20_000, calls); i += 1) sum ^= once(way, data);
  const before = process.memoryUsage();
  const from = process.cpuUsage();
  for (let i = 0; i < calls; i += 1) sum ^= once(way, data);
  const used = cpuSeconds(from);
  const after = process.memoryUsage();
  if (sum === 0.5) console.error("never");
  const whole = crc32c(data);
  if (whole !== crc32c(data.subarray(3), crc32c(data.subarray(0, 3)))) throw new Error("chaining differs");
  return {
    "GB/s": (calls * size) / used / 1e9,
    "ns/call": (used / calls) * 1e9,
    "RSS growth MiB": (after.rss - before.rss) / 1048576,
    "external growth MiB": (after.external - before.external) / 1048576,
  };
}

const variants = [100, 1024, 16_384, 1_048_576].flatMap((size) =>
  ["crc32c", "subarray", "chained", "zlib crc32"].map((way) => ({ name: `${size} B ${way}`, params: { size, way } })),
);
await main({ title: "crc32c", program: import.meta.filename, variants, child });
