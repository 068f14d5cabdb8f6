/**
 * What a router costs beside HAProxy, both passing TLS through by its name: `node bench/router/run.ts [ROUNDS]`. Rounds
 * are interleaved; HAProxy is left out where it is not installed (`apt-get install haproxy`).
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cpuSeconds, memoryMib } from "../processes.ts";
import { nodeClientHello } from "./client-hello.ts";
import { startRouter } from "./routed-cell.ts";

const rounds = Number(process.argv[2] ?? 3);
const connections = 4;
const mebibytesEach = 255;
const idleConnections = 5_000;
const pings = 4_000;
const pingBytes = 200;
const chunk = Buffer.alloc(65_536, "c");
const haproxyPort = 31_999;
const name = "lkc-bench.balafon.example";

interface Way {
  readonly name: string;
  readonly port: number;
}

/** A way with a process in between. */
interface Between extends Way {
  readonly pid: number;
}

async function open(way: Way, command: string, hello: Buffer): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: way.port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  socket.write(Buffer.concat([hello, Buffer.from(command), Buffer.from([mebibytesEach])]));
  return socket;
}

async function upload(way: Way, hello: Buffer): Promise<void> {
  const socket = await open(way, "d", hello);
  for (let sent = 0; sent < mebibytesEach * 1024 * 1024; sent += chunk.length) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.end();
  const [count] = (await once(socket, "data")) as [Buffer];
  if (Number(count.toString()) !== mebibytesEach * 1024 * 1024) throw new Error(`only ${count.toString()} came`);
}

async function download(way: Way, hello: Buffer): Promise<void> {
  const socket = await open(way, "s", hello);
  let bytes = 0;
  socket.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  await once(socket, "end");
  socket.end();
  if (bytes !== mebibytesEach * 1024 * 1024) throw new Error(`only ${bytes} came`);
}

async function throughput(way: Between, run: typeof upload, hello: Buffer): Promise<string> {
  const before = cpuSeconds([way.pid]);
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: connections }, () => run(way, hello)));
  const gibibytes = (connections * mebibytesEach) / 1024;
  const seconds = (performance.now() - beganMs) / 1_000;
  const cpu = (cpuSeconds([way.pid]) - before) / gibibytes;
  return `${cpu.toFixed(2)} CPU-s/GiB at ${((gibibytes * 1024) / seconds).toFixed(0)} MiB/s`;
}

async function roundTrips(way: Way, hello: Buffer): Promise<{ readonly p50: number; readonly p99: number }> {
  const socket = await open(way, "e", hello);
  const ping = Buffer.alloc(pingBytes, "p");
  const times: number[] = [];
  for (let at = 0; at < pings; at++) {
    const beganMs = performance.now();
    socket.write(ping);
    for (let got = 0; got < pingBytes; ) got += ((await once(socket, "data")) as [Buffer])[0].length;
    times.push(performance.now() - beganMs);
  }
  socket.destroy();
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(pings / 2)] ?? 0, p99: times[Math.floor(pings * 0.99)] ?? 0 };
}

async function idle(way: Between, hello: Buffer): Promise<string> {
  const before = memoryMib([way.pid]).join();
  const sockets: Socket[] = [];
  for (let at = 0; at < idleConnections; at++) sockets.push(await open(way, "e", hello));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const after = memoryMib([way.pid]).join();
  for (const socket of sockets) socket.destroy();
  return `${before} MiB before, ${after} MiB with ${idleConnections} idle connections`;
}

async function startHaproxy(directory: string, sinkPort: number): Promise<Between | undefined> {
  try {
    execFileSync("haproxy", ["-v"]);
  } catch {
    return undefined;
  }
  const port = haproxyPort === sinkPort ? haproxyPort + 1 : haproxyPort;
  const file = path.join(directory, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 5500
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  option splice-auto
frontend front
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req_ssl_hello_type 1 }
  use_backend cell if { req_ssl_sni -i ${name} }
backend cell
  server broker 127.0.0.1:${sinkPort} send-proxy-v2
`,
  );
  const child = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { name: "haproxy", port, pid: child.pid ?? 0 };
}

async function main(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "balafon-router-bench-"));
  const sink = spawn(process.execPath, [fileURLToPath(new URL("./sink-process.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(sink.stdout, "data")) as [Buffer];
  const sinkPort = Number(line.toString());
  const router = await startRouter({ directory, lkc: "lkc-bench", domain: "balafon.example", brokerPort: sinkPort });
  const haproxy = await startHaproxy(directory, sinkPort);
  const hello = await nodeClientHello(name);
  const direct: Way = { name: "direct", port: sinkPort };
  const between: readonly Between[] = [{ name: "router", ...router }, ...(haproxy === undefined ? [] : [haproxy])];
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const way of between) {
        console.log(`${round} ${way.name}: in ${await throughput(way, upload, hello)}`);
        console.log(`${round} ${way.name}: out ${await throughput(way, download, hello)}`);
      }
      for (const way of [direct, ...between]) {
        const { p50, p99 } = await roundTrips(way, hello);
        console.log(`${round} ${way.name}: round trip p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
      }
      console.log(`load ${loadavg()[0]?.toFixed(1)}`);
    }
    for (const way of between) console.log(`${way.name}: ${await idle(way, hello)}`);
  } finally {
    router.end();
    sink.kill();
    if (haproxy !== undefined) process.kill(haproxy.pid);
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
