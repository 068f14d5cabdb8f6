/**
 * What happened, in order, as a running hash: two runs are the same run exactly when the hashes are equal. The last lines
 * are kept for the report of a failure; `sink` gets every line.
 */
export class Trace {
  readonly #sink: ((line: string) => void) | undefined;
  readonly #recent: { readonly step: number; readonly nowMs: number; readonly text: string }[] = [];
  readonly #recentMax: number;
  #next = 0;
  #high = 0x811c9dc5 | 0;
  #low = 0x9e3779b9 | 0;
  #lines = 0;

  constructor(options: { readonly sink?: ((line: string) => void) | undefined; readonly recentMax?: number } = {}) {
    this.#sink = options.sink;
    this.#recentMax = options.recentMax ?? 40;
  }

  add(step: number, nowMs: number, text: string): void {
    this.#lines += 1;
    // Microseconds: the fraction below them is the same in both runs or the order of events differs soon.
    const micros = Math.round(nowMs * 1000);
    let high = Math.imul(this.#high ^ micros, 0x01000193);
    let low = Math.imul(this.#low ^ (micros / 0x1_0000_0000), 0x01000193) ^ text.length;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b) ^ (low >>> 15);
    }
    this.#high = high;
    this.#low = low;
    this.#remember(step, nowMs, text);
  }

  #remember(step: number, nowMs: number, text: string): void {
    const entry = { step, nowMs, text };
    this.#sink?.(render(entry));
    this.#recent[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#recentMax;
  }

  get lines(): number {
    return this.#lines;
  }

  get hash(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** The last lines, oldest first. */
  recent(): readonly string[] {
    return [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)].map(render);
  }
}

function render(entry: { readonly step: number; readonly nowMs: number; readonly text: string }): string {
  return `${entry.step} ${entry.nowMs.toFixed(3)} ${entry.text}`;
}
