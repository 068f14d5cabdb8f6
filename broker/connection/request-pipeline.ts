import type { Clock } from "../../shared/ports/clock.ts";
import type { MemoryAccount } from "../admission/memory-budget.ts";
import type { Opened } from "../dispatch/open-request.ts";
import type { RegistryEntry } from "../dispatch/registry.ts";
import { Postponed, type Reply, type Served, Unanswered } from "../handlers/context/handler.ts";
import type { CountedFrame } from "./frame-intake.ts";
import { ResponseOrder, type ResponseSlot } from "./response-order.ts";

/** Started requests are cut off the queue's front in steps of this many. */
const queueCutLength = 64;

/** A frame that may start once its turn has come. */
export type Startable = Exclude<Opened, { readonly kind: "unsupported" }> | BareToken;

/** What the pipeline asks of its connection. */
export interface PipelineOwner {
  /** Reads the header; undefined when the connection ends instead. */
  open(frame: Buffer): Startable | undefined;
  /** Whether the state of the connection lets a request of this API run. When it does not, the connection ends. */
  mayServe(apiKey: number): boolean;
  serve(opened: Opened & { readonly kind: "request" }): Served;
  /** Sends a response; called in the order of requests. */
  send(chunks: readonly Buffer[]): void;
  /** A request ended: by an answer, by having none, or because the connection must close. */
  onEnded(): void;
  onFailed(error: unknown): void;
  /** A request that has no answer failed. */
  onUnanswerable(): void;
}

/** A SASL token without request header. */
export interface BareToken {
  readonly kind: "bare-token";
  readonly serve: () => Promise<Reply>;
}

interface Running {
  readonly slot: ResponseSlot;
  readonly entry: RegistryEntry | undefined;
  readonly account: MemoryAccount;
  readonly bytes: number;
  readonly startedMs: number;
}

/**
 * The requests of one connection, from a whole frame to its response in order.
 *
 * One request runs at a time, as in Kafka, so that each sees what those before it did. Requests of one pipelined API
 * (Produce, OffsetCommit) may run together: each does what must be in order before the next starts, and only waits
 * afterwards. Nothing of another API runs beside them. While one is postponed, none starts.
 */
export class RequestPipeline {
  readonly #owner: PipelineOwner;
  readonly #clock: Clock;
  readonly #order: ResponseOrder;
  #queue: (CountedFrame | undefined)[] = [];
  /** Index of the first frame that has not started. */
  #next = 0;
  /** The first of them, when its header has been read but it may not start yet. */
  #opened: Startable | undefined;
  #running = 0;
  /** Of the requests that run, when they are pipelined. */
  #pipelinedApi: number | undefined;
  #postponed = false;
  #paused = false;
  #pumping = false;
  #closed = false;

  constructor(owner: PipelineOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
    this.#order = new ResponseOrder((chunks) => owner.send(chunks));
  }

  /** Requests read whose response has not been sent. */
  get inFlight(): number {
    return this.#queue.length - this.#next + this.#order.open;
  }

  add(frames: readonly CountedFrame[]): void {
    for (const counted of frames) {
      if (this.#closed) counted.account.release(counted.frame.length);
      else this.#queue.push(counted);
    }
    this.pump();
  }

  /** While paused nothing new starts: the peer does not take its responses. */
  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.pump();
  }

  /** Starts what may start. */
  pump(): void {
    // A request that ends at once pumps again from inside `#start`.
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#closed && !this.#paused && !this.#postponed && this.#next < this.#queue.length) {
      const counted = this.#queue[this.#next] as CountedFrame;
      this.#opened ??= this.#owner.open(counted.frame);
      // Opening may end the connection.
      if (this.#opened === undefined || this.#closed) break;
      const opened = this.#opened;
      const pipelinedApi = opened.kind === "request" && opened.entry.pipelined ? opened.entry.api.key : undefined;
      if (this.#running > 0 && (pipelinedApi === undefined || pipelinedApi !== this.#pipelinedApi)) break;
      this.#opened = undefined;
      this.#dequeue();
      this.#pipelinedApi = pipelinedApi;
      this.#start(opened, counted);
    }
    this.#pumping = false;
  }

  /** Drops what has not started; what runs ends by itself and is answered nowhere. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const counted of this.#queue) counted?.account.release(counted.frame.length);
    this.#queue = [];
    this.#next = 0;
    this.#opened = undefined;
  }

  #dequeue(): void {
    this.#queue[this.#next] = undefined;
    this.#next += 1;
    if (this.#next < this.#queue.length && this.#next < queueCutLength) return;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }

  #start(opened: Startable, { frame, account }: CountedFrame): void {
    const entry = opened.kind === "bare-token" ? undefined : opened.entry;
    if (entry !== undefined && !this.#owner.mayServe(entry.api.key)) {
      account.release(frame.length);
      return;
    }
    const estimate = opened.kind === "request" ? opened.entry.memoryEstimate(frame.length) : 0;
    account.take(estimate);
    const running: Running = {
      slot: this.#order.enter(),
      entry,
      account,
      bytes: frame.length + estimate,
      startedMs: this.#clock.monotonicMs(),
    };
    this.#running += 1;
    this.#serve(running, () => this.#replyTo(opened));
  }

  /** `ask` serves the request, or has one that was postponed begin. */
  #serve(running: Running, ask: () => Served): void {
    try {
      const reply = ask();
      if (reply instanceof Postponed) return this.#postpone(running, reply);
      if (!(reply instanceof Promise)) return this.#end(running, reply);
      reply.then(
        (settled) => this.#end(running, settled),
        (error: unknown) => this.#fail(running, error),
      );
    } catch (error) {
      this.#fail(running, error);
    }
  }

  #postpone(running: Running, { ready, again }: Postponed<Served>): void {
    this.#postponed = true;
    void ready.then(() => {
      this.#postponed = false;
      if (this.#closed) {
        // Its client is gone and sends it again elsewhere: what has not begun must not overtake that.
        this.#settle(running);
        this.#owner.onEnded();
        return;
      }
      this.#serve(running, again);
      this.pump();
    });
  }

  #replyTo(opened: Startable): Served {
    switch (opened.kind) {
      case "request":
        return this.#owner.serve(opened);
      case "answered":
        return opened.reply;
      case "bare-token":
        return opened.serve();
    }
  }

  #fail(running: Running, error: unknown): void {
    this.#settle(running);
    if (!this.#closed) this.#owner.onFailed(error);
    this.#owner.onEnded();
  }

  #end(running: Running, reply: Reply): void {
    this.#settle(running);
    if (!this.#closed) {
      if (reply instanceof Unanswered) {
        this.#order.fill(running.slot, undefined);
        if (reply.closes) this.#owner.onUnanswerable();
      } else {
        running.entry?.requests.add(1);
        running.entry?.latency.observe((this.#clock.monotonicMs() - running.startedMs) / 1_000);
        this.#order.fill(running.slot, reply);
      }
    }
    this.#owner.onEnded();
    this.pump();
  }

  #settle(running: Running): void {
    running.account.release(running.bytes);
    this.#running -= 1;
  }
}
