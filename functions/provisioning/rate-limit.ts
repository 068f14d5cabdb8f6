import type { Clock } from "../../shared/ports/clock.ts";
import { countedKeysMax } from "./limits.ts";

export interface RateVerdict {
  readonly allowed: boolean;
  /** Requests that may be made at once, when none were made for a while. */
  readonly limit: number;
  /** Of them, how many now. */
  readonly remaining: number;
  /** Seconds until all of them may be made again; when refused, until one may. */
  readonly resetSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by name, in the memory of one instance; API Gateway throttles in front of all of them. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  /** The one used longest ago comes first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, limits: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock;
    this.#perSecond = limits.perSecond;
    this.#burst = limits.burst;
  }

  /** Takes a token, if there is one. */
  take(name: string): RateVerdict {
    const bucket = this.#refilled(name);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > countedKeysMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return this.#verdict(bucket, allowed);
  }

  /** What `take` would say, without taking. */
  look(name: string): RateVerdict {
    const bucket = this.#refilled(name);
    return this.#verdict(bucket, bucket.tokens >= 1);
  }

  #refilled(name: string): Bucket {
    const nowMs = this.#clock.monotonicMs();
    const present = this.#buckets.get(name);
    if (present === undefined) return { tokens: this.#burst, atMs: nowMs };
    const tokens = Math.min(this.#burst, present.tokens + ((nowMs - present.atMs) / 1000) * this.#perSecond);
    return { tokens, atMs: nowMs };
  }

  #verdict({ tokens }: Bucket, allowed: boolean): RateVerdict {
    const missing = allowed ? this.#burst - tokens : 1 - tokens;
    return {
      allowed,
      limit: this.#burst,
      remaining: Math.floor(tokens),
      resetSeconds: Math.ceil(missing / this.#perSecond),
    };
  }
}
