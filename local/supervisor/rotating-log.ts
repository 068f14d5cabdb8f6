import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import { unwrittenCharactersMax } from "../limits.ts";

/**
 * A process's log file, bounded: when it reaches `bytesMax` it becomes `<name>.1`, in the place of an older one. What
 * cannot be written is dropped, but for its end, which `tail` shows: a full disk must not stop the cloud that could free it.
 */
export class RotatingLog {
  readonly #file: string;
  readonly #bytesMax: number;
  #descriptor: number | undefined;
  #bytes = 0;
  /** The end of what the disk did not take. */
  #unwritten = "";

  constructor(file: string, bytesMax: number) {
    this.#file = file;
    this.#bytesMax = bytesMax;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  }

  write(chunk: Buffer | string): void {
    try {
      const descriptor = this.#open();
      this.#bytes += writeSync(descriptor, typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      if (this.#bytes < this.#bytesMax) return;
      this.close();
      renameSync(this.#file, `${this.#file}.1`);
    } catch {
      this.#unwritten = `${this.#unwritten}${chunk.toString()}`.slice(-unwrittenCharactersMax);
      this.close();
    }
  }

  /** The last lines. */
  tail(lines: number): readonly string[] {
    const written = existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
    const text = `${written}${this.#unwritten}`.trimEnd();
    return text === "" ? [] : text.split("\n").slice(-lines);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) {
      this.#descriptor = openSync(this.#file, "a", 0o600);
      this.#bytes = statSync(this.#file).size;
    }
    return this.#descriptor;
  }
}
