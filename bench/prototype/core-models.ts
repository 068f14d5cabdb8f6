/**
 * What it costs to use a second core inside one broker: a message to a worker and back, by size and
 * by way; memory of a worker against a process; accepting through the cluster module. ADR 0002.
 *
 *   node bench/prototype/core-models.ts [name pattern]        ROUNDS=3
 *
 * A "request" is a buffer given to the thread that owns the partition and a small answer. CPU is of
 * the whole process, all threads. `depth` requests are under way at once.
 */
import cluster from "node:cluster";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import { count, cpuSeconds, type Figures, main, mebibyte, type Params, startPeer, text } from "./harness.ts";

const warmup = 2_000;
type Message = { slot: number; bytes?: Uint8Array };

/** Shared words: [0] requests published, [1] answers published. */
type Shared = { words: Int32Array; way: string };

async function answerShared(words: Int32Array, from: number, to: number): Promise<never> {
  let seen = 0;
  for (;;) {
    const published = Atomics.load(words, from);
    if (published === seen) {
      const wait = Atomics.waitAsync(words, from, seen);
      if (wait.async) await wait.value;
      continue;
    }
    seen = published;
    Atomics.store(words, to, seen);
    Atomics.notify(words, to);
  }
}

function workerMain(shared: Shared, port: MessagePort): void {
  if (shared.way === "atomics") {
    setInterval(() => {}, 1000);
    void answerShared(shared.words, 0, 1);
    return;
  }
  port.on("message", (message: Message | Message[]) => {
    if (Array.isArray(message)) port.postMessage(message.map(({ slot }) => ({ slot })));
    else port.postMessage({ slot: message.slot });
  });
}

/** Requests by postMessage: transferred, cloned, or only the number of a slot in shared memory. */
function byMessage(worker: Worker, params: Params, rounds: number): Promise<void> {
  const size = count(params, "size");
  const way = text(params, "way");
  const group = count(params, "group", 1);
  let finished = 0;
  const make = (slot: number): Message => (way === "slot" ? { slot } : { slot, bytes: new Uint8Array(size) });
  const send = (): void => {
    const messages = Array.from({ length: group }, (_, slot) => make(slot));
    const list = way === "transfer" ? messages.map(({ bytes }) => (bytes as Uint8Array).buffer as ArrayBuffer) : [];
    worker.postMessage(group === 1 ? messages[0] : messages, list);
  };
  return new Promise((resolve) => {
    worker.removeAllListeners("message");
    worker.on("message", () => {
      finished += group;
      if (finished >= rounds) resolve();
      else send();
    });
    for (let i = 0; i < count(params, "depth", 8); i += group) send();
  });
}

async function byAtomics(words: Int32Array, params: Params, rounds: number): Promise<void> {
  const depth = count(params, "depth", 8);
  const goal = Atomics.load(words, 1) + rounds;
  for (;;) {
    const answered = Atomics.load(words, 1);
    if (answered >= goal) return;
    Atomics.store(words, 0, Math.min(goal, answered + depth));
    Atomics.notify(words, 0);
    if (Atomics.load(words, 1) !== answered) continue;
    const wait = Atomics.waitAsync(words, 1, answered);
    if (wait.async) await wait.value;
  }
}

function startWorker(shared: Shared): Promise<Worker> {
  const worker = new Worker(import.meta.filename, { workerData: shared });
  return once(worker, "online").then(() => worker);
}

async function messages(params: Params): Promise<Figures> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const way = text(params, "way");
  const keepAlive = setInterval(() => {}, 1000);
  const worker = await startWorker({ words, way });
  const rounds = count(params, "size") >= mebibyte ? 3_000 : 60_000;
  const run = (n: number): Promise<void> =>
    way === "atomics" ? byAtomics(words, params, n) : byMessage(worker, params, n);
  await run(warmup);
  const from = process.cpuUsage();
  await run(rounds);
  const used = cpuSeconds(from);
  clearInterval(keepAlive);
  await worker.terminate();
  return { "us/request": (used / rounds) * 1e6 };
}

async function memory(params: Params): Promise<Figures> {
  const before = process.memoryUsage.rss();
  const workers: Worker[] = [];
  const words = new Int32Array(new SharedArrayBuffer(8));
  for (let i = 0; i < count(params, "workers"); i += 1) {
    workers.push(await startWorker({ words, way: "slot" }));
  }
  await sleep(300);
  const after = process.memoryUsage.rss();
  for (const worker of workers) await worker.terminate();
  return { "RSS MiB": after / mebibyte, "per worker MiB": (after - before) / mebibyte / Math.max(1, workers.length) };
}

/** Connections accepted by this process alone, or by cluster workers that get handles from it. */
async function accepting(params: Params): Promise<Figures> {
  const connections = 3_000;
  const workers = count(params, "workers");
  let port = 0;
  if (workers > 0) {
    cluster.setupPrimary({ exec: import.meta.filename, args: ["--cluster"], execArgv: [] });
    for (let i = 0; i < workers; i += 1) cluster.fork();
    for (let i = 0; i < workers; i += 1) {
      const [, address] = (await once(cluster, "listening")) as [unknown, { port: number }];
      port = address.port;
    }
  } else {
    const server = net.createServer((socket) => socket.end("x"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as net.AddressInfo).port;
  }
  const peer = await startPeer(import.meta.filename, { port, connections });
  const from = process.cpuUsage();
  await once(peer, "message");
  const primary = cpuSeconds(from);
  let inWorkers = 0;
  for (const worker of Object.values(cluster.workers ?? {})) {
    worker?.send("cpu");
    const [used] = (await once(worker as NonNullable<typeof worker>, "message")) as [number];
    inWorkers += used;
  }
  peer.kill();
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill();
  const scale = 1e6 / connections;
  return { "us/connection": (primary + inWorkers) * scale, "of it in the primary": primary * scale };
}

function clusterWorker(): void {
  const server = net.createServer((socket) => socket.end("x"));
  let from = process.cpuUsage();
  server.once("connection", () => {
    from = process.cpuUsage();
  });
  server.listen(0, "127.0.0.1");
  process.on("message", () => process.send?.(cpuSeconds(from)));
}

function peer(params: Params): void {
  let left = count(params, "connections");
  let open = 0;
  const next = (): void => {
    if (left === 0) {
      if (open === 0) process.send?.("done");
      return;
    }
    left -= 1;
    open += 1;
    const socket = net.connect(count(params, "port"), "127.0.0.1");
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      open -= 1;
      next();
    });
  };
  for (let i = 0; i < 32; i += 1) next();
}

function child(params: Params): Promise<Figures> {
  if (text(params, "kind") === "memory") return memory(params);
  if (text(params, "kind") === "accept") return accepting(params);
  return messages(params);
}

function variants(): { name: string; params: Params }[] {
  const all: { name: string; params: Params }[] = [];
  for (const [label, size] of [
    ["1KiB", 1024],
    ["16KiB", 16_384],
    ["1MiB", mebibyte],
  ] as const) {
    for (const way of ["clone", "transfer"]) {
      all.push({ name: `message ${label} ${way}, depth 8`, params: { kind: "message", size, way, depth: 8 } });
    }
  }
  all.push({ name: "message slot, depth 1", params: { kind: "message", size: 0, way: "slot", depth: 1 } });
  all.push({ name: "message slot, depth 8", params: { kind: "message", size: 0, way: "slot", depth: 8 } });
  all.push({
    name: "message slot, groups of 8",
    params: { kind: "message", size: 0, way: "slot", depth: 16, group: 8 },
  });
  all.push({ name: "message atomics, depth 1", params: { kind: "message", size: 0, way: "atomics", depth: 1 } });
  all.push({ name: "message atomics, depth 8", params: { kind: "message", size: 0, way: "atomics", depth: 8 } });
  for (const workers of [0, 1, 3]) all.push({ name: `memory ${workers} workers`, params: { kind: "memory", workers } });
  for (const workers of [0, 2])
    all.push({ name: `accept, cluster of ${workers}`, params: { kind: "accept", workers } });
  return all;
}

if (parentPort !== null) workerMain(workerData as Shared, parentPort);
else if (process.argv[2] === "--cluster") clusterWorker();
else await main({ title: "core models", program: import.meta.filename, variants: variants(), child, peer });
