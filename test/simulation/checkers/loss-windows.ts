/**
 * When a machine loses its power, what was not synced on it may be gone; when that leaves a partition without a majority
 * that kept everything, the newest acknowledged records may be gone with it, and only those (DESIGN section 5, Survival).
 * This books who lost what and says of which partition what may be missing.
 */
import { majority } from "../../../broker/replication/quorum.ts";

/** Replicas sync at least every second; the sync itself and the timers around it take their time. */
export const unsyncedMsMax = 2_500;
/** With a disk that was slow, stuck or failing not long ago. */
export const unsyncedFaultyDiskMsMax = 15_000;

export interface VotersOf {
  readonly partition: string;
  readonly voters: readonly number[];
  /** Marked in the metadata log as having lost their data. */
  readonly lost: readonly number[];
}

export class LossWindows {
  /** Brokers that lost what was not synced and were not promoted since. */
  readonly #suspects = new Set<number>();
  /** Brokers whose disk is gone. */
  readonly #gone = new Set<number>();

  /** May this broker's data be incomplete? Then it has no vote. */
  isSuspect(brokerId: number): boolean {
    return this.#suspects.has(brokerId) || this.#gone.has(brokerId);
  }

  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  diskGone(brokerId: number): void {
    this.#gone.add(brokerId);
  }

  /** The machines of these brokers lost their power together. Returns the partitions that may have lost records. */
  powerLost(brokerIds: readonly number[], partitions: readonly VotersOf[]): readonly string[] {
    for (const id of brokerIds) this.#suspects.add(id);
    return partitions.flatMap(({ partition, voters, lost }) => {
      const kept = voters.filter((voter) => !this.isSuspect(voter) && !lost.includes(voter));
      const isTouched = voters.some((voter) => brokerIds.includes(voter));
      return isTouched && kept.length < majority(voters.length) ? [partition] : [];
    });
  }

  /** Brokers that registered again and are marked nowhere any more are trusted again. */
  promoted(serving: readonly number[], partitions: readonly VotersOf[]): void {
    for (const id of [...this.#suspects]) {
      if (serving.includes(id) && partitions.every(({ lost }) => !lost.includes(id))) this.#suspects.delete(id);
    }
  }
}
