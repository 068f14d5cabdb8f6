import { Trace } from "./trace.ts";

export interface ScheduledEvent {
  readonly atMs: number;
  readonly order: number;
  readonly label: string;
  run: (() => void) | undefined;
}

/** Events at one simulated instant before the run is called a livelock. */
const eventsPerInstantMax = 50_000;

/**
 * The one queue of a simulation: events by simulated time, then by the order in which they were scheduled. After every
 * event one turn of Node's event loop passes, so that all promise continuations it caused have run before the next event:
 * with no real I/O under way their order is that of the language, hence the same in every run.
 */
export class Scheduler {
  readonly trace: Trace;
  readonly #heap: ScheduledEvent[] = [];
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  #eventsAtInstant = 0;
  #failure: Error | undefined;

  constructor(trace: Trace = new Trace()) {
    this.trace = trace;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Ends the run before the next event. The first failure is kept. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** Runs `run` after `delayMs`; the returned event may be cancelled with `cancel`. */
  after(delayMs: number, label: string, run: () => void): ScheduledEvent {
    if (!(delayMs >= 0)) throw new Error(`cannot schedule ${label} ${delayMs} ms from now`);
    this.#order += 1;
    const event: ScheduledEvent = { atMs: this.#nowMs + delayMs, order: this.#order, label, run };
    push(this.#heap, event);
    return event;
  }

  cancel(event: ScheduledEvent): void {
    event.run = undefined;
  }

  /** Adds a line to the trace that is not an event of its own. */
  note(text: string): void {
    this.trace.add(this.#steps, this.#nowMs, text);
  }

  /**
   * Runs events up to `untilMs`, or until `steps` have run, or something failed. Time then stands at `untilMs` when all
   * events before it have run.
   */
  runUntil(untilMs: number, stepsMax = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        if (this.#failure !== undefined || this.#steps >= stepsMax || !this.#runNext(untilMs)) resolve();
        else setImmediate(turn);
      };
      // What the caller did just now may have continuations as well.
      setImmediate(turn);
    });
  }

  #runNext(untilMs: number): boolean {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      pop(this.#heap);
      const { run } = event;
      if (run === undefined) continue;
      event.run = undefined;
      this.#countInstant(event.atMs);
      this.#nowMs = event.atMs;
      this.#steps += 1;
      this.trace.add(this.#steps, this.#nowMs, event.label);
      try {
        run();
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
      return true;
    }
  }

  #countInstant(atMs: number): void {
    this.#eventsAtInstant = atMs === this.#nowMs ? this.#eventsAtInstant + 1 : 0;
    if (this.#eventsAtInstant > eventsPerInstantMax) this.fail(new Error(`livelock: time stands at ${atMs} ms`));
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: ScheduledEvent[], event: ScheduledEvent): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as ScheduledEvent;
    if (!isBefore(event, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = event;
}

function pop(heap: ScheduledEvent[]): void {
  const last = heap.pop() as ScheduledEvent;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let childIndex = 2 * index + 1;
    if (childIndex >= heap.length) break;
    const right = heap[childIndex + 1];
    let child = heap[childIndex] as ScheduledEvent;
    if (right !== undefined && isBefore(right, child)) {
      child = right;
      childIndex += 1;
    }
    if (!isBefore(child, last)) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
}
