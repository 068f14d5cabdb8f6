import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Timers } from "../shared/ports/timers.ts";
import { bufferCheckMs, bufferGarbageBytesMax, bufferIdleCheckMs, heapGrowingPercent } from "./limits.ts";

/**
 * Keeps a broker's memory small at full speed (docs/adr/0007). What passes through are buffers that die young, outside of
 * V8's heap. By default V8 answers every 64 MiB of them with a full collection of the heap, a dozen a second, which costs
 * half of the processor. Here buffers count into the heap's own limit instead, which is rarely reached, and a collection
 * of the young generation only, a few milliseconds, frees them whenever enough have gathered.
 */
export function startBufferCollector(timers: Timers, bufferBytes: () => number): void {
  setFlagsFromString("--external-memory-accounted-in-global-limit");
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
  let keptBytes = 0;
  let lastBytes = 0;
  const check = () => {
    const bytes = bufferBytes();
    keptBytes = Math.min(keptBytes, bytes);
    if (bytes - keptBytes >= bufferGarbageBytesMax) {
      collect({ type: "minor" });
      keptBytes = bufferBytes();
    }
    // A broker at rest looks less often: even a look costs.
    const busy = bytes - lastBytes > bufferGarbageBytesMax / 8;
    lastBytes = bytes;
    timers.after(busy ? bufferCheckMs : bufferIdleCheckMs, check);
  };
  check();
}
