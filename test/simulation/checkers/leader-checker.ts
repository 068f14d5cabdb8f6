/** One leader for each (partition, epoch), over the whole run: restarted processes and zombies included. */
export class LeaderChecker {
  readonly #leaders = new Map<string, string>();
  readonly #violate: (message: string) => void;

  constructor(violate: (message: string) => void) {
    this.#violate = violate;
  }

  /** `process` acts as the leader: took an append, or answered a fetch as leader. */
  acts(partition: string, epoch: number, process: string): void {
    const key = `${partition} epoch ${epoch}`;
    const known = this.#leaders.get(key);
    if (known === undefined) this.#leaders.set(key, process);
    else if (known !== process) this.#violate(`${key} was led by ${known} and by ${process}`);
  }

  /** Elections seen: partitions with a leader in each epoch. */
  get count(): number {
    return this.#leaders.size;
  }
}
