import type { GroupMember, MemberEvent } from "./group-member.ts";

const untilMsMax = 150_000;

/** What the members of one group did, in the order in which the test heard of it. */
export class GroupLedger {
  /** Offsets by partition. */
  readonly #processed = new Map<number, Set<number>>();
  /** The next offset by partition, as the coordinator acknowledged it. */
  readonly #committed = new Map<number, number>();
  /** Partitions just assigned to a member, with what was committed then: its first record tells where it began. */
  readonly #beginnings = new Map<GroupMember, Map<number, number>>();
  readonly #problems: string[] = [];
  readonly #watchers = new Set<() => void>();

  note(member: GroupMember, event: MemberEvent): void {
    if (event.kind === "assigned") {
      const committed = event.partitions.map((partition) => [partition, this.#committed.get(partition) ?? 0] as const);
      this.#beginnings.set(member, new Map(committed));
    } else if (event.kind === "processed") this.#noteProcessed(member, event.partition, event.offset);
    else if (event.kind === "committed")
      this.#committed.set(event.partition, Math.max(event.next, this.#committed.get(event.partition) ?? 0));
    else if (event.kind === "failed") this.#problems.push(event.reason);
    for (const watcher of this.#watchers) watcher();
  }

  /** What a member's client gave up with, and commits that were lost: none when all is well. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  processedCount(): number {
    let count = 0;
    for (const offsets of this.#processed.values()) count += offsets.size;
    return count;
  }

  committedCount(): number {
    return this.#committed.values().reduce((sum, next) => sum + next, 0);
  }

  /** Offsets below the end of a partition that nobody processed. */
  skipped(ends: readonly number[]): readonly string[] {
    return ends.flatMap((end, partition) => {
      const offsets = this.#processed.get(partition) ?? new Set();
      return Array.from({ length: end }, (_, offset) => offset)
        .filter((offset) => !offsets.has(offset))
        .map((offset) => `${partition}@${offset}`);
    });
  }

  /** Rejects when that is not so in two minutes and a half, or when a member failed. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const look = () => {
        if (this.#problems.length > 0) end(() => reject(new Error(this.#problems.join("\n"))));
        else if (condition()) end(resolve);
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`not in time: ${what}; processed ${this.processedCount()}`))),
        untilMsMax,
      );
      this.#watchers.add(look);
      look();
    });
  }

  #noteProcessed(member: GroupMember, partition: number, offset: number): void {
    const began = this.#beginnings.get(member);
    const committed = began?.get(partition);
    began?.delete(partition);
    if (committed !== undefined && offset < committed)
      this.#problems.push(`partition ${partition} was read again from ${offset}, committed was ${committed}`);
    let offsets = this.#processed.get(partition);
    if (offsets === undefined) this.#processed.set(partition, (offsets = new Set()));
    offsets.add(offset);
  }
}
