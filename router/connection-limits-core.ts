/**
 * How many connections there are and how fast they come, by address and by logical cluster: what is refused before anybody
 * has proved who it is. Times are handed in, monotonic milliseconds.
 */
import { strict as assert } from "node:assert";
import { type RouterLimits, rateTableMax } from "./limits.ts";

export type LimitReached =
  | "router-full"
  | "strangers-full"
  | "address-full"
  | "address-rate"
  | "cluster-full"
  | "cluster-rate";

/** What a rate allows to come at once, in seconds of it. */
const burstSeconds = 2;

/** Of the table of rates when it is full, what is left after those who matter least were forgotten. */
const keptShare = 0.75;

interface Meter {
  open: number;
  /** Connections that may come now. */
  allowance: number;
  atMs: number;
}

/** Open connections and rates of one kind of key. A key that nothing is known of costs nothing. */
class MeterTable {
  readonly #meters = new Map<string, Meter>();
  readonly #openMax: number;
  readonly #perSecond: number;

  constructor(openMax: number, perSecond: number) {
    this.#openMax = openMax;
    this.#perSecond = perSecond;
  }

  get size(): number {
    return this.#meters.size;
  }

  /** Counts one more, or says which bound stands against it. A refused one uses up no allowance. */
  add(key: string, nowMs: number): "full" | "rate" | undefined {
    const meter = this.#meterOf(key, nowMs);
    if (meter.open >= this.#openMax) return "full";
    if (meter.allowance < 1) return "rate";
    meter.open++;
    meter.allowance--;
    return undefined;
  }

  remove(key: string, nowMs: number): void {
    const meter = this.#meters.get(key);
    assert(meter !== undefined && meter.open > 0, "only what was counted is taken off");
    meter.open--;
    this.#refill(meter, nowMs);
    if (this.#isIdle(meter)) this.#meters.delete(key);
  }

  #meterOf(key: string, nowMs: number): Meter {
    const known = this.#meters.get(key);
    if (known !== undefined) {
      this.#refill(known, nowMs);
      return known;
    }
    if (this.#meters.size >= rateTableMax) this.#forgetIdle(nowMs);
    const meter = { open: 0, allowance: this.#allowanceMax, atMs: nowMs };
    this.#meters.set(key, meter);
    return meter;
  }

  get #allowanceMax(): number {
    return Math.max(1, this.#perSecond * burstSeconds);
  }

  #refill(meter: Meter, nowMs: number): void {
    const gained = ((nowMs - meter.atMs) / 1_000) * this.#perSecond;
    meter.allowance = Math.min(this.#allowanceMax, meter.allowance + gained);
    meter.atMs = nowMs;
  }

  #isIdle(meter: Meter): boolean {
    return meter.open === 0 && meter.allowance >= this.#allowanceMax;
  }

  #forgetIdle(nowMs: number): void {
    for (const [key, meter] of this.#meters) {
      this.#refill(meter, nowMs);
      if (this.#isIdle(meter)) this.#meters.delete(key);
    }
    // Few are idle: those without connections lose their debts, oldest first, which is better than to grow. Many at once,
    // so that a flood of addresses does not walk the table for each of them.
    for (const [key, meter] of this.#meters) {
      if (this.#meters.size <= rateTableMax * keptShare) return;
      if (meter.open === 0) this.#meters.delete(key);
    }
  }
}

export class ConnectionLimits {
  readonly #limits: RouterLimits;
  readonly #addresses: MeterTable;
  readonly #clusters: MeterTable;
  #open = 0;
  #strangers = 0;

  constructor(limits: RouterLimits) {
    this.#limits = limits;
    this.#addresses = new MeterTable(limits.connectionsPerAddressMax, limits.newPerSecondPerAddressMax);
    this.#clusters = new MeterTable(limits.connectionsPerClusterMax, limits.newPerSecondPerClusterMax);
  }

  get open(): number {
    return this.#open;
  }

  get strangers(): number {
    return this.#strangers;
  }

  /** Keys that something is remembered of. */
  get remembered(): number {
    return this.#addresses.size + this.#clusters.size;
  }

  /** A socket was accepted: counted as a stranger, or refused. */
  accept(): LimitReached | undefined {
    if (this.#open >= this.#limits.connectionsMax) return "router-full";
    if (this.#strangers >= this.#limits.strangersMax) return "strangers-full";
    this.#open++;
    this.#strangers++;
    return undefined;
  }

  /** It is known who connects. */
  identify(address: string, nowMs: number): LimitReached | undefined {
    const reached = this.#addresses.add(address, nowMs);
    return reached === undefined ? undefined : `address-${reached}`;
  }

  /** It is known to which cluster: no stranger any more, if it is not refused. */
  name(lkc: string, nowMs: number): LimitReached | undefined {
    const reached = this.#clusters.add(lkc, nowMs);
    if (reached !== undefined) return `cluster-${reached}`;
    this.#strangers--;
    return undefined;
  }

  /** It is gone; `address` and `lkc` as far as they were counted. */
  release(counted: { readonly address: string | undefined; readonly lkc: string | undefined }, nowMs: number): void {
    const { address, lkc } = counted;
    this.#open--;
    if (address !== undefined) this.#addresses.remove(address, nowMs);
    if (lkc === undefined) this.#strangers--;
    else this.#clusters.remove(lkc, nowMs);
  }
}
