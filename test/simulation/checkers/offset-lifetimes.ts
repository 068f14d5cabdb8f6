/**
 * When committed offsets may go by themselves, and when they must be gone (KIP-211), as far as clients can know it:
 *
 *   - of a group that never had a member: a retention after their commit
 *   - of a group with members: a retention after the group may have become empty, while it may have been
 *   - of a topic that some member has given up: a retention after their commit
 *
 * Brokers go by their wall clocks, so "a retention" is one more or less by what those differ.
 */

export interface GroupTimes {
  /** A member that is not heard of for so long may have been taken out. */
  readonly evictionMs: number;
}

interface Group {
  readonly evictionMs: number;
  /** When a member was last told that it is one. */
  aliveMs: number;
  /** A member has left since. */
  hasLeft: boolean;
  /** Something is committed, as far as is known: a group with offsets outlives its members by a retention. */
  hasOffsets: boolean;
  /** Times in which it may have had no members. */
  readonly silences: { readonly fromMs: number; readonly toMs: number }[];
  /** Topics that not every member reads, and since when. */
  readonly givenUp: Map<string, number>;
}

export class OffsetLifetimes {
  readonly #groups = new Map<string, Group>();
  readonly #nowMs: () => number;
  readonly #retentionMs: number;
  readonly #skewMs: () => number;

  constructor(options: {
    readonly nowMs: () => number;
    readonly retentionMs: number;
    /** By how much the clocks of two brokers differ at most; infinite when one was set. */
    readonly skewMs: () => number;
  }) {
    this.#nowMs = options.nowMs;
    this.#retentionMs = options.retentionMs;
    this.#skewMs = options.skewMs;
  }

  /** The group (`tenant/name`) is one with members. */
  hasMembers(name: string, { evictionMs }: GroupTimes): void {
    const aliveMs = Number.NEGATIVE_INFINITY;
    this.#groups.set(name, {
      evictionMs,
      aliveMs,
      hasLeft: false,
      hasOffsets: false,
      silences: [],
      givenUp: new Map(),
    });
  }

  /** A member was told that it is one of a generation that is stored. Answers whether the group may have been gone before. */
  alive(name: string, servedMs: number): boolean {
    const group = this.#group(name);
    const fromMs = mayBeEmptySince(group);
    const wasSilent = group.aliveMs > Number.NEGATIVE_INFINITY && fromMs < servedMs;
    if (wasSilent) group.silences.push({ fromMs, toMs: servedMs });
    const mayBeGone = wasSilent && (!group.hasOffsets || servedMs - fromMs >= this.#keptMs);
    if (mayBeGone) group.hasOffsets = false;
    if (servedMs > group.aliveMs) {
      group.aliveMs = servedMs;
      group.hasLeft = false;
    }
    return mayBeGone;
  }

  /** A member's commit was acknowledged. */
  committed(name: string): void {
    this.#group(name).hasOffsets = true;
  }

  /** Nothing of the group may be left: it was deleted, or a power cut took it. */
  mayBeGone(name: string): void {
    const group = this.#groups.get(name);
    if (group !== undefined) group.hasOffsets = false;
  }

  /** A member asks to be taken out. */
  leaves(name: string): void {
    this.#group(name).hasLeft = true;
  }

  /** A member joins without this topic from now on. */
  givesUp(name: string, topicId: string): void {
    const { givenUp } = this.#group(name);
    if (!givenUp.has(topicId)) givenUp.set(topicId, this.#nowMs());
  }

  /** Since when the offset (`tenant/group/topicId/partition`) may be gone if it was committed then; infinite: it may not. */
  dueMs(key: string, committedMs: number): number {
    const { name, topicId } = partsOf(key);
    const keptMs = this.#keptMs;
    const group = this.#groups.get(name);
    if (group === undefined) return committedMs + keptMs;
    const now = { fromMs: mayBeEmptySince(group), toMs: this.#nowMs() };
    const dues = [...group.silences, now].flatMap(({ fromMs, toMs }) => {
      const dueMs = Math.max(fromMs, committedMs) + keptMs;
      return dueMs <= toMs ? [dueMs] : [];
    });
    const givenUpMs = group.givenUp.get(topicId);
    if (givenUpMs !== undefined) dues.push(Math.max(givenUpMs, committedMs + keptMs));
    return Math.min(Number.POSITIVE_INFINITY, ...dues);
  }

  /**
   * If the newest commit of this offset was sent no later than that, it must be gone; minus infinity: it need not be.
   * `isGivenUp`: no member reads the topic. `slackMs`: how late brokers may look.
   */
  goneBeforeMs(key: string, isGivenUp: (name: string, topicId: string) => boolean, slackMs: number): number {
    const { name, topicId } = partsOf(key);
    const skewMs = this.#skewMs();
    const isRead = this.#groups.has(name) && !isGivenUp(name, topicId);
    if (isRead || skewMs === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
    return this.#nowMs() - this.#retentionMs - skewMs - slackMs;
  }

  /** For so long at least offsets are kept. */
  get #keptMs(): number {
    return Math.max(0, this.#retentionMs - this.#skewMs());
  }

  #group(name: string): Group {
    const group = this.#groups.get(name);
    if (group === undefined) throw new Error(`${name} is no group with members`);
    return group;
  }
}

function mayBeEmptySince({ aliveMs, hasLeft, evictionMs }: Group): number {
  return hasLeft ? aliveMs : aliveMs + evictionMs;
}

function partsOf(key: string): { readonly name: string; readonly topicId: string } {
  const [lkc = "", groupId = "", topicId = ""] = key.split("/");
  return { name: `${lkc}/${groupId}`, topicId };
}
