import type { BrokerId } from "../../shared/metadata/records/record.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import { producerIdRetryMs, producerIdsLowMark, producerIdWaitMs } from "../limits.ts";
import type { CommandGateway } from "./command-gateway.ts";

export interface ProducerIdPorts {
  readonly self: BrokerId;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly commands: CommandGateway;
}

/**
 * Producer ids from blocks that the metadata log gave to this broker, fetched ahead, so that new idempotent producers
 * are served while the store is unreachable. Ids of a block that is left unused are never given again.
 */
export class ProducerIdSource {
  readonly #ports: ProducerIdPorts;
  /** Remaining ranges [next, end). */
  readonly #blocks: { next: number; readonly end: number }[] = [];
  readonly #waiting = new Set<() => void>();
  #fetching = false;
  #stopped = false;

  constructor(ports: ProducerIdPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#fetchIfLow();
  }

  stop(): void {
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
  }

  /** An id never given before in the fleet; undefined when none could be had in time. */
  async next(): Promise<number | undefined> {
    if (this.#remaining() === 0 && !this.#stopped) await this.#wait();
    const block = this.#blocks[0];
    if (block === undefined) return undefined;
    const id = block.next++;
    if (block.next >= block.end) this.#blocks.shift();
    this.#fetchIfLow();
    return id;
  }

  #remaining(): number {
    return this.#blocks.reduce((sum, block) => sum + block.end - block.next, 0);
  }

  #wait(): Promise<void> {
    this.#fetchIfLow();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#ports.timers.after(producerIdWaitMs, wake);
      this.#waiting.add(wake);
    });
  }

  #fetchIfLow(): void {
    if (this.#fetching || this.#stopped || this.#remaining() >= producerIdsLowMark) return;
    this.#fetching = true;
    void this.#fetch().then((fetched) => {
      if (fetched) {
        this.#fetching = false;
        for (const wake of this.#waiting) wake();
        this.#fetchIfLow();
        return;
      }
      this.#ports.timers.after(producerIdRetryMs, () => {
        this.#fetching = false;
        this.#fetchIfLow();
      });
    });
  }

  async #fetch(): Promise<boolean> {
    const command = { kind: "allocate-producer-ids", brokerId: this.#ports.self } as const;
    const result = await this.#ports.commands.submit(command, producerIdWaitMs);
    if (result.kind !== "done" || result.reply.kind !== "allocated") return false;
    this.#blocks.push({ next: result.reply.first, end: result.reply.first + result.reply.count });
    return true;
  }
}
