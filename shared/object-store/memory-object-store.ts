import { listPageKeysMax } from "./limits.ts";
import { keyFault } from "./object-key.ts";
import type { ObjectGetResult, ObjectListResult, ObjectStore, ObjectWriteResult } from "./object-store.ts";

/**
 * Objects in memory, for tests and the simulator. A call takes effect and is answered in one step, when `schedule`
 * runs it.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, Buffer>();
  readonly #schedule: (run: () => void) => void;

  constructor(schedule: (run: () => void) => void = queueMicrotask) {
    this.#schedule = schedule;
  }

  put(key: string, body: Buffer, options: { readonly ifAbsent: boolean }): Promise<ObjectWriteResult> {
    const fault = keyFault(key);
    const copy = Buffer.from(body);
    return this.#answer(() => {
      if (fault !== undefined) {
        return { kind: "invalid", message: fault };
      }
      if (options.ifAbsent && this.#objects.has(key)) {
        return { kind: "conflict" };
      }
      this.#objects.set(key, copy);
      return { kind: "done" };
    });
  }

  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<ObjectGetResult> {
    return this.#answer(() => {
      const object = this.#objects.get(key);
      if (object === undefined) {
        return { kind: "absent" };
      }
      const body = range === undefined ? object : object.subarray(range.start, range.end);
      return { kind: "found", body: Buffer.from(body), totalBytes: object.length };
    });
  }

  list(prefix: string, startAfter = ""): Promise<ObjectListResult> {
    return this.#answer(() => {
      const all = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
      const after = all.filter((key) => byBytes(key, startAfter) > 0);
      return { kind: "page", keys: after.slice(0, listPageKeysMax), more: after.length > listPageKeysMax };
    });
  }

  delete(key: string): Promise<ObjectWriteResult> {
    return this.#answer(() => {
      this.#objects.delete(key);
      return { kind: "done" };
    });
  }

  #answer<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.#schedule(() => resolve(work())));
  }
}

/** The order in which S3 lists: by the bytes of UTF-8. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
