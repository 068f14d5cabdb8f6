import type { Timers } from "../shared/ports/timers.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import { afterLook, type BrokerCondition, type Look, unwatched, type WatchedState } from "./broker-watch-core.ts";
import { probeMs, probeSpacingMs } from "./limits.ts";
import type { RoutedBroker } from "./routing-table-core.ts";

export interface BrokerWatchOptions {
  /** Every broker of every cell, as of now. */
  readonly brokers: () => readonly RoutedBroker[];
  look(broker: RoutedBroker): Promise<Look>;
  /** Whether the newest log names the broker as leader of nothing. */
  leadsNothing(broker: RoutedBroker): boolean;
  /** Brings the log up to date: a broker may have lost its offices just now. */
  refresh(broker: RoutedBroker): Promise<unknown>;
  /** The broker was given up: its connections are to be reset. */
  onCut(broker: RoutedBroker): void;
  readonly timers: Timers;
  readonly logger: Logger;
}

export function brokerKey({ cell, brokerId }: Pick<RoutedBroker, "cell" | "brokerId">): string {
  return `${cell}/${brokerId}`;
}

/** Looks at all brokers again and again. */
export class BrokerWatch {
  readonly #options: BrokerWatchOptions;
  readonly #states = new Map<string, WatchedState>();
  /** Brokers whose look is under way. */
  readonly #looking = new Set<string>();
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: BrokerWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  condition(broker: RoutedBroker): BrokerCondition {
    return (this.#states.get(brokerKey(broker)) ?? unwatched).condition;
  }

  count(condition: BrokerCondition): number {
    return this.#options.brokers().filter((broker) => this.condition(broker) === condition).length;
  }

  #round(): void {
    if (this.#stopped) return;
    const brokers = this.#options.brokers();
    const present = new Set(brokers.map(brokerKey));
    for (const key of this.#states.keys()) if (!present.has(key)) this.#states.delete(key);
    for (const broker of brokers) void this.#lookAt(broker);
    // In a large fleet rounds take longer, so that looking never becomes a load of its own.
    this.#cancel = this.#options.timers.after(Math.max(probeMs, brokers.length * probeSpacingMs), () => this.#round());
  }

  async #lookAt(broker: RoutedBroker): Promise<void> {
    const key = brokerKey(broker);
    if (this.#looking.has(key)) return;
    this.#looking.add(key);
    const look = await this.#options.look(broker);
    const before = this.#states.get(key) ?? unwatched;
    if (look !== "answered" && before.condition !== "cut") await this.#options.refresh(broker);
    this.#looking.delete(key);
    if (this.#stopped) return;
    const after = afterLook(before, look, () => this.#options.leadsNothing(broker));
    this.#states.set(key, after);
    if (after.condition === before.condition) return;
    const { cell, brokerId } = broker;
    this.#options.logger.warn("broker-condition", { cell, brokerId, condition: after.condition, misses: after.misses });
    if (after.condition === "cut") this.#options.onCut(broker);
  }
}
