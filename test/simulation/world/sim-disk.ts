import type { Disk, DiskFile } from "../../../shared/ports/disk.ts";
import type { ScheduledEvent, Scheduler } from "./scheduler.ts";
import { drawLatency, type LatencyProfile, type SeededRandom } from "./seeded-random.ts";
import type { SimProcess } from "./sim-process.ts";

const readLatency: LatencyProfile = { minMs: 0.02, meanMs: 0.05, tailChance: 0.005, tailMs: 5 };
const writeLatency: LatencyProfile = { minMs: 0.02, meanMs: 0.08, tailChance: 0.01, tailMs: 10 };
const syncLatency: LatencyProfile = { minMs: 0.5, meanMs: 2, tailChance: 0.02, tailMs: 60 };
/** When a process dies, the system has done a call that was under way, or not, or (a write) a part of it. */
const doneAtDeathChance = 0.4;
const partlyDoneAtDeathChance = 0.3;
const spaceBytes = 1e12;
const nothingWritten = { partly: () => Promise.resolve(), bytes: 0 };

export type Work = "read" | "write" | "sync";
const latencyOf: Readonly<Record<Work, LatencyProfile>> = {
  read: readLatency,
  write: writeLatency,
  sync: syncLatency,
};

/** How the disk of one machine behaves now; switched by the fault schedule. */
export class DiskFaults {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly count: (name: string) => void;
  /** When a fault was last under way, for the bound of what may be unsynced. */
  lastFaultMs = Number.NEGATIVE_INFINITY;
  /** Syncs answer without syncing (a mutation: never part of a fault schedule). */
  skipsSync = false;
  #slowness = 1;
  /** Of writes, on top. */
  #msPerByte = 0;
  #isStuck = false;
  #isFull = false;
  #errorChance = 0;
  /** What fails with EIO; undefined: anything. */
  #failing: Work | undefined;
  /** Calls that wait for the disk to move again. */
  #waiting: (() => void)[] = [];
  /** Calls that a slow disk works on, each with how it goes on when the disk is quick again. */
  readonly #slow = new Map<ScheduledEvent, () => void>();

  constructor(scheduler: Scheduler, random: SeededRandom, count: (name: string) => void) {
    this.scheduler = scheduler;
    this.random = random;
    this.count = count;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isFaulty(): boolean {
    return this.#isSlow || this.#isStuck || this.#isFull || this.#errorChance > 0;
  }

  get #isSlow(): boolean {
    return this.#slowness > 1 || this.#msPerByte > 0;
  }

  /**
   * `amount`: how many times slower (`slow`), milliseconds a byte more for every write (`narrow`), or the chance of an
   * error; `failing`: what fails, if not everything.
   */
  begin(kind: "slow" | "narrow" | "stuck" | "full" | "errors", amount = 1, failing?: Work): void {
    if (kind === "slow") this.#slowness = amount;
    if (kind === "narrow") this.#msPerByte = amount;
    if (kind === "stuck") this.#isStuck = true;
    if (kind === "full") this.#isFull = true;
    if (kind === "errors") this.#errorChance = amount;
    this.#failing = failing;
  }

  /** Something keeps this machine from syncing in time. */
  noteFault(): void {
    this.lastFaultMs = this.scheduler.nowMs;
  }

  heal(): void {
    if (this.isFaulty) this.noteFault();
    this.#slowness = 1;
    this.#msPerByte = 0;
    this.#isStuck = false;
    this.#isFull = false;
    this.#errorChance = 0;
    for (const go of this.#waiting.splice(0)) go();
    const slow = [...this.#slow];
    this.#slow.clear();
    for (const [event, goOn] of slow) {
      this.scheduler.cancel(event);
      goOn();
    }
  }

  /** Runs the work when the disk has had its time for it; never before a stuck disk moves again. */
  whenDone(work: Work, label: string, bytes: number, run: () => void): void {
    const calmMs = drawLatency(this.random, latencyOf[work]);
    const done = (): void => {
      if (!this.#isStuck) return run();
      this.count("disk call stuck");
      this.#waiting.push(() => this.scheduler.after(this.random.fraction(), `${label} unstuck`, run));
    };
    if (!this.#isSlow) {
      this.scheduler.after(calmMs, label, done);
      return;
    }
    const event = this.scheduler.after(calmMs * this.#slowness + bytes * this.#msPerByte, label, () => {
      this.#slow.delete(event);
      done();
    });
    this.#slow.set(event, () => this.scheduler.after(calmMs, label, done));
  }

  /** The error with which this call is to fail, if any. */
  failure(work: Work): DiskError | undefined {
    if (work === "write" && this.#isFull) {
      this.count("disk ENOSPC");
      return new DiskError("ENOSPC");
    }
    if (this.#failing !== undefined && this.#failing !== work) return undefined;
    if (this.#errorChance > 0 && this.random.chance(this.#errorChance)) {
      this.count(`disk EIO on ${work}`);
      return new DiskError("EIO");
    }
    return undefined;
  }
}

export class DiskError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`simulated disk: ${code}`);
    this.code = code;
  }
}

/**
 * A machine's disk as one process sees it: calls take time, may fail, and die with the process. What is on the disk, in
 * the page cache and on the device, is the volume's business.
 */
export class SimDisk implements Disk {
  readonly #volume: Disk;
  readonly #process: SimProcess;
  readonly #faults: DiskFaults;
  /** Calls that the system has not done yet, in the order in which they were made. */
  readonly #pending = new Set<PendingCall>();

  constructor(volume: Disk, process: SimProcess, faults: DiskFaults) {
    this.#volume = volume;
    this.#process = process;
    this.#faults = faults;
    process.onDeath((how) => {
      // What the system goes on with is done before a next process runs.
      if (how === "process") for (const call of this.#pending) this.#finishAtDeath(call);
      this.#pending.clear();
    });
  }

  async open(path: string, options: { readonly create: boolean }): Promise<DiskFile> {
    const file = await this.#do("write", `open ${path}`, () => this.#volume.open(path, options));
    return this.#wrap(file, path);
  }

  list(directory: string): Promise<readonly string[]> {
    return this.#do("read", `list ${directory}`, () => this.#volume.list(directory));
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return this.#do("read", `read ${path}`, () => this.#volume.readFile(path));
  }

  replaceFile(path: string, content: Buffer): Promise<void> {
    return this.#do("sync", `replace ${path}`, () => this.#volume.replaceFile(path, content), "write");
  }

  removeFile(path: string): Promise<void> {
    return this.#do("write", `remove ${path}`, () => this.#volume.removeFile(path), "read");
  }

  removeDirectory(path: string): Promise<void> {
    return this.#do("write", `remove ${path}`, () => this.#volume.removeDirectory(path), "read");
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do("write", `rename ${from}`, () => this.#volume.rename(from, to));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#do("write", `mkdir ${path}`, () => this.#volume.makeDirectory(path));
  }

  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return this.#do("read", `space ${path}`, () =>
      Promise.resolve({ totalBytes: spaceBytes, freeBytes: this.#faults.isFull ? 0 : spaceBytes / 2 }),
    );
  }

  #wrap(file: DiskFile, path: string): DiskFile {
    return {
      sizeAtOpen: file.sizeAtOpen,
      write: (position, buffers) => this.#write(file, path, position, buffers),
      read: (position, target) => this.#do("read", `read ${path}`, () => file.read(position, target)),
      sync: () => this.#do("sync", `sync ${path}`, () => (this.#faults.skipsSync ? Promise.resolve() : file.sync())),
      truncate: (size) => this.#do("write", `truncate ${path}`, () => file.truncate(size), "sync"),
      close: () => this.#do("read", `close ${path}`, () => file.close(), "close"),
    };
  }

  #write(file: DiskFile, path: string, position: number, buffers: readonly Buffer[]): Promise<void> {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const partly = (): Promise<void> => {
      const part = Buffer.concat(buffers).subarray(0, this.#faults.random.below(bytes + 1));
      return file.write(position, [part]);
    };
    const label = `write ${path} ${position}+${bytes}`;
    return this.#do("write", label, () => file.write(position, buffers), "write", { partly, bytes });
  }

  /**
   * Does the work on the volume after its time and answers the process. `failsAs`: the kind of failure that can hit it. A
   * call that fails does nothing, unless it is a write of `bytes` of which `partly` leaves some behind.
   */
  #do<T>(
    work: Work,
    label: string,
    apply: () => Promise<T>,
    failsAs: Work | "close" = work,
    write: { readonly partly: () => Promise<unknown>; readonly bytes: number } = nothingWritten,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const process = this.#process;
    const faults = this.#faults;
    const error = failsAs === "close" ? undefined : faults.failure(failsAs);
    const { partly, bytes } = write;
    const call: PendingCall = { apply, partly };
    this.#pending.add(call);
    faults.whenDone(work, `${process.name} ${label}`, bytes, () => {
      if (!this.#pending.delete(call)) return;
      const outcome = error === undefined ? apply() : partly().then(() => Promise.reject(error));
      outcome.then(
        (value) => process.deliver(`${label} done`, () => resolve(value)),
        (cause: unknown) => process.deliver(`${label} failed`, () => reject(cause as Error)),
      );
    });
    return promise;
  }

  #finishAtDeath(call: PendingCall): void {
    const { random, scheduler } = this.#faults;
    const luck = random.fraction();
    if (luck >= doneAtDeathChance + partlyDoneAtDeathChance) return;
    const done = luck < doneAtDeathChance ? call.apply() : call.partly();
    done.catch((error: unknown) => scheduler.note(`at death: ${String(error)}`));
  }
}

interface PendingCall {
  readonly apply: () => Promise<unknown>;
  /** What is on the volume when the call broke off. */
  readonly partly: () => Promise<unknown>;
}
