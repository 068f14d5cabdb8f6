/**
 * When to flush: a relay reads small frames from 16 producers and pushes each to two followers, with
 * the follower's frames collected until the callback's microtasks, nextTick or setImmediate. ADR 0002.
 *
 *   node bench/prototype/turn-batching.ts [name pattern]        ROUNDS=3
 *
 * Closed loop: a producer has `window` frames unanswered; the relay answers at once in the same way.
 * "delay" is from the read callback to the write, the price of waiting for more.
 */
import net from "node:net";
import { count, cpuSeconds, type Figures, main, type Params, percentile, startPeer, text } from "./harness.ts";
import { rewrap } from "./socket-readers.ts";

const producers = 16;
const warmupFrames = 20_000;
const measuredFrames = 200_000;

type Flusher = (run: () => void) => void;
const flushers: Record<string, Flusher> = {
  microtask: (run) => queueMicrotask(run),
  nexttick: (run) => process.nextTick(run),
  immediate: (run) => setImmediate(run),
};

/** Collects frames of one socket and writes them as one list. */
class Outbox {
  readonly #socket: net.Socket;
  readonly #flusher: Flusher | undefined;
  readonly #capBytes: number;
  #frames: Buffer[] = [];
  #bytes = 0;
  #asked = 0;
  writes = 0;
  delays: number[] = [];
  constructor(socket: net.Socket, flusher: Flusher | undefined, capBytes: number) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#capBytes = capBytes;
  }
  push(frame: Buffer): void {
    if (this.#flusher === undefined) {
      this.writes += 1;
      this.#socket.write(frame);
      return;
    }
    this.#frames.push(frame);
    this.#bytes += frame.length;
    if (this.#bytes >= this.#capBytes) {
      this.#flush();
      return;
    }
    if (this.#frames.length > 1) return;
    this.#asked = performance.now();
    this.#flusher(() => this.#flush());
  }
  #flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#bytes = 0;
    this.writes += 1;
    this.delays.push(performance.now() - this.#asked);
    this.#socket.cork();
    for (const frame of frames) this.#socket.write(frame);
    this.#socket.uncork();
  }
}

function relay(params: Params, onFrame: (outboxes: Outbox[]) => void): (socket: net.Socket) => void {
  const size = count(params, "size");
  const capBytes = count(params, "capKiB", 1024 * 1024) * 1024;
  const flusher = flushers[text(params, "flush")];
  const followers: Outbox[] = [];
  const answer = Buffer.alloc(32, 1);
  return (accepted) => {
    if (followers.length < 2) {
      accepted.on("error", () => {});
      followers.push(new Outbox(accepted, flusher, capBytes));
      return;
    }
    let slab = Buffer.allocUnsafeSlow(262_144);
    let start = 0;
    let end = 0;
    const socket = rewrap(accepted, {
      buffer: () => slab.subarray(end),
      callback(read) {
        end += read;
        for (; end - start >= size; start += size) {
          const frame = slab.subarray(start, start + size);
          for (const follower of followers) follower.push(frame);
          answers.push(answer);
          onFrame(followers);
        }
        if (slab.length - end < 2 * size) {
          const next = Buffer.allocUnsafeSlow(slab.length);
          slab.copy(next, 0, start, end);
          end -= start;
          start = 0;
          slab = next;
        }
        return true;
      },
    });
    const answers = new Outbox(socket, flusher, capBytes);
  };
}

async function child(params: Params): Promise<Figures> {
  let frames = 0;
  let from = process.cpuUsage();
  let writesFrom = 0;
  let finish: (figures: Figures) => void = () => {};
  const done = new Promise<Figures>((resolve) => {
    finish = resolve;
  });
  const onFrame = (followers: Outbox[]): void => {
    frames += 1;
    const writes = followers[0]?.writes ?? 0;
    if (frames === warmupFrames) {
      from = process.cpuUsage();
      writesFrom = writes;
      for (const follower of followers) follower.delays = [];
    }
    if (frames !== warmupFrames + measuredFrames) return;
    const delays = followers[0]?.delays ?? [];
    finish({
      "us/frame": (cpuSeconds(from) / measuredFrames) * 1e6,
      "frames/follower write": measuredFrames / (writes - writesFrom),
      "delay p50 ms": percentile(delays, 0.5),
      "delay p99 ms": percentile(delays, 0.99),
    });
  };
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, relay(params, onFrame));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const peer = await startPeer(import.meta.filename, { ...params, port });
  const figures = await done;
  peer.kill();
  return figures;
}

/** Two discarding followers first, then the producers. */
function peer(params: Params): void {
  const port = count(params, "port");
  const scratch = Buffer.allocUnsafeSlow(1_048_576);
  const connect = (callback: (read: number) => boolean): net.Socket => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer: scratch, callback } });
    socket.on("error", () => process.exit(0));
    return socket;
  };
  connect(() => true).on("connect", () => connect(() => true).on("connect", () => setTimeout(produce, 50)));
  const produce = (): void => {
    const frame = Buffer.alloc(count(params, "size"), 7);
    for (let i = 0; i < producers; i += 1) {
      let owed = 0;
      const socket = connect((read) => {
        owed += read;
        for (; owed >= 32; owed -= 32) socket.write(frame);
        return true;
      });
      socket.on("connect", () => {
        for (let sent = 0; sent < count(params, "window"); sent += 1) socket.write(frame);
      });
    }
  };
}

const capped = [64, 256].map((capKiB) => ({
  name: `16KiB window 5 immediate, at most ${capKiB} KiB`,
  params: { size: 16_384, window: 5, flush: "immediate", capKiB },
}));
const variants = [1024, 16_384].flatMap((size) =>
  [1, 5].flatMap((window) =>
    ["none", "microtask", "nexttick", "immediate"].map((flush) => ({
      name: `${size / 1024}KiB window ${window} ${flush}`,
      params: { size, window, flush },
    })),
  ),
);
await main({ title: "turn batching", program: import.meta.filename, variants: [...variants, ...capped], child, peer });
