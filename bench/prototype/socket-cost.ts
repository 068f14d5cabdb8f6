/**
 * CPU of moving bytes through Node sockets: plain and TLS, in and out, 16 KiB and 1 MiB frames, and
 * the ways to read a frame into memory and to write many. ADR 0002.
 *
 *   node bench/prototype/socket-cost.ts [name pattern]        ROUNDS=3
 *
 * The child is measured; the other end is a process of its own. A frame is a 4-byte length and a
 * body. The first 256 MiB warm up; then `measuredBytes` are counted. Loopback, so the kernel's
 * receive work is paid by whichever side runs it: compare rows with each other, not with a wire.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { count, cpuSeconds, type Figures, gibibyte, main, mebibyte, type Params, startPeer, text } from "./harness.ts";
import { readers } from "./socket-readers.ts";

const warmupBytes = 256 * mebibyte;
const measuredBytes = 1024 * mebibyte;
const windowBytes = 4 * mebibyte;

function certificate(): { key: Buffer; cert: Buffer } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "balafon-cert-"));
  const key = path.join(folder, "key.pem");
  const cert = path.join(folder, "cert.pem");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=localhost", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...name], { stdio: "ignore" });
  const pair = { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
  fs.rmSync(folder, { recursive: true });
  return pair;
}

/** Counts bytes; resolves with CPU seconds a GiB once the measured part has passed. */
class Meter {
  readonly done: Promise<Figures>;
  #finish: (figures: Figures) => void = () => {};
  #bytes = 0;
  #events = 0;
  #from: NodeJS.CpuUsage | undefined;
  #eventsFrom = 0;
  constructor() {
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#events += 1;
    if (this.#from === undefined && this.#bytes >= warmupBytes) {
      this.#from = process.cpuUsage();
      this.#eventsFrom = this.#events;
    }
    if (this.#from !== undefined && this.#bytes >= warmupBytes + measuredBytes) {
      const used = cpuSeconds(this.#from);
      const events = this.#events - this.#eventsFrom;
      this.#finish({ "CPU-s/GiB": (used * gibibyte) / measuredBytes, "us/frame": (used / events) * 1e6 });
    }
  }
}

function frameOf(size: number): Buffer {
  const frame = Buffer.alloc(4 + size, 7);
  frame.writeUInt32BE(size, 0);
  return frame;
}

/** Keeps `windowBytes` of frames on their way until the process ends. */
function pump(socket: net.Socket, frame: Buffer, sent: (bytes: number) => void): void {
  let inFlight = 0;
  const more = (): void => {
    while (inFlight < windowBytes) {
      inFlight += frame.length;
      socket.write(frame, () => {
        inFlight -= frame.length;
        sent(frame.length);
        if (inFlight <= windowBytes / 2) more();
      });
    }
  };
  more();
}

/** Writes `list` frames at a time in the given way, to all sockets. */
function pumpLists(sockets: net.Socket[], frame: Buffer, how: string, sent: (bytes: number) => void): void {
  const list = Math.max(1, Math.floor(mebibyte / frame.length));
  const joined = how === "concat" ? Buffer.concat(Array.from({ length: list }, () => frame)) : frame;
  let waiting = 0;
  const done = (): void => {
    waiting -= 1;
    if (waiting === 0) turn();
  };
  const turn = (): void => {
    waiting = sockets.length;
    for (const socket of sockets) {
      if (how === "corked") socket.cork();
      if (how === "concat") Buffer.concat(Array.from({ length: list }, () => frame));
      const writes = how === "concat" ? 1 : list;
      for (let i = 0; i < writes; i += 1) socket.write(joined, i === writes - 1 ? done : undefined);
      if (how === "corked") socket.uncork();
    }
    for (let i = 0; i < list; i += 1) sent(frame.length);
  };
  turn();
}

function serve(secure: boolean, onSocket: (socket: net.Socket) => void): net.Server {
  if (secure) {
    const ciphers = process.env["CIPHER"];
    const options = { ...certificate(), ...(ciphers ? { ciphers } : {}) };
    return tls.createServer(options, onSocket);
  }
  return net.createServer({ pauseOnConnect: true }, onSocket);
}

async function child(params: Params): Promise<Figures> {
  const meter = new Meter();
  const secure = text(params, "wire") === "tls";
  const sockets: net.Socket[] = [];
  const links = count(params, "links", 1);
  const frame = frameOf(count(params, "size"));
  const server = serve(secure, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    if (text(params, "direction") === "in") {
      readers[text(params, "read")]?.(socket, (bytes) => meter.add(bytes));
    } else if (sockets.length === links) {
      const how = text(params, "write");
      if (how) pumpLists(sockets, frame, how, (bytes) => meter.add(bytes));
      else for (const each of sockets) pump(each, frame, (bytes) => meter.add(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const peers = [];
  for (let i = 0; i < links; i += 1) peers.push(await startPeer(import.meta.filename, { ...params, port }));
  const figures = await meter.done;
  for (const peer of peers) peer.kill();
  return figures;
}

function peer(params: Params): void {
  const port = count(params, "port");
  const discard = { buffer: Buffer.allocUnsafeSlow(mebibyte), callback: () => true };
  const inbound = text(params, "direction") === "in";
  const onread = inbound ? {} : { onread: discard };
  const socket =
    text(params, "wire") === "tls"
      ? tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...onread })
      : net.connect({ port, host: "127.0.0.1", ...onread });
  socket.on("error", () => process.exit(0));
  socket.on("close", () => process.exit(0));
  const ready = text(params, "wire") === "tls" ? "secureConnect" : "connect";
  if (inbound) socket.on(ready, () => pump(socket, frameOf(count(params, "size")), () => {}));
}

const sizes: [string, number][] = [
  ["16KiB", 16_384],
  ["1MiB", mebibyte],
];

function variants(): { name: string; params: Params }[] {
  const all: { name: string; params: Params }[] = [];
  for (const [label, size] of sizes) {
    for (const wire of ["plain", "tls"]) {
      all.push({ name: `in ${wire} ${label} data-copy`, params: { direction: "in", wire, size, read: "data-copy" } });
      all.push({ name: `out ${wire} ${label}`, params: { direction: "out", wire, size } });
    }
    for (const read of ["data-discard", "data-concat", "onread-frame", "onread-slab"]) {
      all.push({ name: `in plain ${label} ${read}`, params: { direction: "in", wire: "plain", size, read } });
    }
    all.push({ name: `out plain ${label} two links`, params: { direction: "out", wire: "plain", size, links: 2 } });
  }
  for (const [label, size] of [["1KiB", 1_020], ...sizes.slice(0, 1)] as [string, number][]) {
    for (const write of ["each", "corked", "concat"]) {
      all.push({ name: `list ${label} ${write}`, params: { direction: "out", wire: "plain", size, write } });
    }
  }
  return all;
}

await main({ title: "socket cost", program: import.meta.filename, variants: variants(), child, peer });
