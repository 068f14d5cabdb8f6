/**
 * What the members of a group were told, and what must hold between it. A generation counts from its first assignment that
 * was answered: by then it is stored. Before, a failover may take it back, as in Kafka.
 *
 *   - one generation has one assignment, made by one leader under one protocol; a member is told one assignment
 *   - what two members of a generation were given is disjoint
 *   - generations do not go back: not for a member, and not for the group
 *   - once a newer generation has its assignment, no commit under an older one is accepted
 *   - a group's members are its tenant's
 */

export interface JoinedGeneration {
  readonly memberId: string;
  /** Null: a dynamic member. */
  readonly instanceId: string | null;
  readonly generation: number;
  readonly leaderId: string;
  readonly protocol: string;
  /** What the leader is told of; empty for others. */
  readonly members: readonly { readonly memberId: string; readonly instanceId: string | null }[];
  readonly servedMs: number;
}

export interface SyncedGeneration extends Omit<JoinedGeneration, "members"> {
  readonly sentMs: number;
  /** Of which assignment of a leader this is a part. */
  readonly nonce: string;
  readonly partitions: readonly string[];
}

interface Generation {
  readonly nonce: string;
  readonly leader: string;
  readonly protocol: string;
  readonly firstSyncedMs: number;
  /** What each owner was given: a static member is its instance, whatever id it has. */
  readonly partitionsOf: Map<string, readonly string[]>;
}

interface Group {
  generations: Map<number, Generation>;
  /** The highest generation with an assignment. */
  highest: number;
  /** Newest generation that a member id was given an assignment in. */
  readonly ofMember: Map<string, number>;
  /** Ids of static members that were told of. */
  readonly seenIds: Set<string>;
  /** Deletions of unknown outcome: each may make the group begin anew once. */
  unknownDeletions: number;
  lossMs: number;
}

export class GroupGenerations {
  readonly #groups = new Map<string, Group>();
  readonly #nowMs: () => number;
  readonly #violate: (message: string) => void;
  readonly #count: (name: string) => void;
  readonly #ownerOf: (memberId: string) => string;

  constructor(options: {
    readonly nowMs: () => number;
    readonly violate: (message: string) => void;
    readonly count: (name: string) => void;
    /** A static member's instance, whatever its id is now; else the member itself. */
    readonly ownerOf: (memberId: string) => string;
  }) {
    this.#nowMs = options.nowMs;
    this.#violate = options.violate;
    this.#count = options.count;
    this.#ownerOf = options.ownerOf;
  }

  /** `name`: tenant and group; `mark`: how the ids of its members begin. */
  joined(name: string, mark: string, told: JoinedGeneration): void {
    const group = this.#of(name);
    if (told.servedMs <= group.lossMs) return;
    const { instanceId } = told;
    const isBack = instanceId !== null && !group.seenIds.has(told.memberId);
    if (isBack && group.generations.get(told.generation)?.partitionsOf.has(instanceId)) {
      this.#count("group: static member back without a rebalance");
    }
    const all = [told, ...told.members];
    for (const { memberId, instanceId: itsInstance } of all) {
      if (!memberId.startsWith(mark))
        this.#violate(`${memberId} is no member of ${name}, yet ${told.memberId} is told so`);
      if (itsInstance !== null) group.seenIds.add(memberId);
    }
    const before = group.ofMember.get(told.memberId) ?? 0;
    if (told.generation < before) {
      this.#violate(`${told.memberId} was in generation ${before} of ${name} and joined ${told.generation}`);
    }
  }

  synced(name: string, told: SyncedGeneration): void {
    const group = this.#of(name);
    if (told.servedMs <= group.lossMs) return;
    const { memberId, generation, nonce } = told;
    const present = group.generations.get(generation);
    const wentBack = told.sentMs > (group.generations.get(group.highest)?.firstSyncedMs ?? Number.POSITIVE_INFINITY);
    const isAnew = (present !== undefined && present.nonce !== nonce) || (generation < group.highest && wentBack);
    if (isAnew && group.unknownDeletions > 0) {
      group.unknownDeletions -= 1;
      this.#begin(group);
    } else if (present !== undefined && present.nonce !== nonce) {
      this.#violate(
        `generation ${generation} of ${name} was assigned as ${present.nonce} and ${memberId} got ${nonce}`,
      );
    } else if (generation < group.highest && wentBack) {
      this.#violate(`${memberId} was assigned generation ${generation} of ${name} after ${group.highest} was`);
    }
    this.#note(group, name, told);
  }

  /** A commit under a generation was accepted; `sentMs`: when it was sent. */
  committed(
    name: string,
    commit: { readonly generation: number; readonly sentMs: number; readonly servedMs: number },
  ): void {
    const group = this.#of(name);
    if (commit.servedMs <= group.lossMs) return;
    for (const [generation, { firstSyncedMs }] of group.generations) {
      if (generation <= commit.generation || firstSyncedMs >= commit.sentMs) continue;
      this.#violate(`a commit under generation ${commit.generation} of ${name} was accepted after ${generation} began`);
    }
  }

  /** The group is deleted; a new one of its name counts from 1 again. */
  deleted(name: string): void {
    this.#begin(this.#of(name));
  }

  mayBeDeleted(name: string): void {
    this.#of(name).unknownDeletions += 1;
  }

  permitLoss(isTouched: (name: string) => boolean): void {
    for (const [name, group] of this.#groups) {
      if (!isTouched(name)) continue;
      this.#begin(group);
      group.lossMs = this.#nowMs();
    }
  }

  #begin(group: Group): void {
    group.generations = new Map();
    group.highest = 0;
    group.ofMember.clear();
  }

  #note(group: Group, name: string, told: SyncedGeneration): void {
    const { memberId, generation, nonce, protocol, partitions } = told;
    const leader = this.#ownerOf(told.leaderId);
    const owner = told.instanceId ?? memberId;
    let present = group.generations.get(generation);
    if (present === undefined) {
      present = { nonce, leader, protocol, firstSyncedMs: this.#nowMs(), partitionsOf: new Map() };
      group.generations.set(generation, present);
      if (generation > 1) this.#count("group: rebalanced");
    }
    if (present.leader !== leader || present.protocol !== protocol) {
      const first = `${present.leader} leads by ${present.protocol}`;
      this.#violate(`in generation ${generation} of ${name} ${first}, but ${memberId} knows ${leader} by ${protocol}`);
    }
    for (const [other, theirs] of present.partitionsOf) {
      const both = partitions.filter((partition) => theirs.includes(partition));
      if (other !== owner && both.length > 0) {
        this.#violate(`${both.join()} belong to ${other} and to ${owner} in generation ${generation} of ${name}`);
      } else if (other === owner && theirs.join() !== partitions.join()) {
        this.#violate(
          `${owner} was told ${theirs.join()} and ${partitions.join()} in generation ${generation} of ${name}`,
        );
      }
    }
    present.partitionsOf.set(owner, partitions);
    group.highest = Math.max(group.highest, generation);
    group.ofMember.set(memberId, Math.max(group.ofMember.get(memberId) ?? 0, generation));
  }

  #of(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = {
        generations: new Map(),
        highest: 0,
        ofMember: new Map(),
        seenIds: new Set(),
        unknownDeletions: 0,
        lossMs: Number.NEGATIVE_INFINITY,
      };
      this.#groups.set(name, group);
    }
    return group;
  }
}
