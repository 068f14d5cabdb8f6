/**
 * The model's ElectableComplete and LeaderComplete (design/model), looked at from above: whoever could be elected now holds
 * all that is committed now, and whoever leads holds all that was committed before its epoch. Finds a wrong count or a
 * wrong vote long before a client could lose anything by it.
 */
import { majority } from "../../../broker/replication/quorum.ts";
import type { Rank, ReplicationRules } from "../../../broker/replication/replication-rules.ts";

/** Which epoch wrote from which offset on, ascending. */
export type History = readonly { readonly epoch: number; readonly startOffset: number }[];

/** What one replica holds, written, as of now or as of its process's death. */
export interface ReplicaView {
  readonly brokerId: number;
  readonly acceptedEpoch: number;
  readonly startOffset: number;
  readonly writtenOffset: number;
  readonly history: History;
}

export interface LeaderView extends ReplicaView {
  readonly epoch: number;
  readonly highWatermark: number;
  /** Has committed in its own epoch all that it held when it took office. */
  readonly isServing: boolean;
}

export interface PartitionView {
  readonly partition: string;
  /** All voters of the newest record; those that may vote are in `replicas`. */
  readonly voters: readonly number[];
  readonly replicas: readonly ReplicaView[];
  readonly leaders: readonly LeaderView[];
}

interface Committed {
  /** Older records were deleted, and with them their place in the history. */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly history: History;
  /** Highest epoch of a leader that committed something. */
  readonly epoch: number;
}

export class QuorumChecker {
  readonly #committed = new Map<string, Committed>();
  readonly #open = new Set<string>();
  readonly #violate: (message: string) => void;
  readonly #rules: Pick<ReplicationRules, "compareRank">;

  /** `rules`: how the code under test ranks replicas, rightly or not. */
  constructor(violate: (message: string) => void, rules: Pick<ReplicationRules, "compareRank">) {
    this.#violate = violate;
    this.#rules = rules;
  }

  /** What is committed is open until replicas that may vote hold again what some leader takes for it. */
  permitLoss(partition: string): void {
    this.#committed.delete(partition);
    this.#open.add(partition);
  }

  look(view: PartitionView): void {
    if (this.#open.has(view.partition) && !this.#settle(view)) return;
    for (const leader of view.leaders) this.#lookAtLeader(view.partition, leader);
    const committed = this.#committed.get(view.partition);
    if (committed === undefined) return;
    const danger = this.#danger(view, committed);
    if (danger !== undefined) this.#violate(danger);
  }

  #settle(view: PartitionView): boolean {
    const isSettled = view.leaders.every((leader) => this.#danger(view, committedBy(leader)) === undefined);
    const isLed = view.leaders.some((leader) => leader.isServing);
    if (!isSettled || !isLed) return false;
    this.#open.delete(view.partition);
    return true;
  }

  #lookAtLeader(partition: string, leader: LeaderView): void {
    const known = this.#committed.get(partition);
    if (known !== undefined && leader.epoch > known.epoch) {
      const lack = lacking(leader, known);
      if (lack !== undefined) {
        this.#violate(`broker ${leader.brokerId} leads ${partition} in epoch ${leader.epoch}, but ${lack}`);
      }
    }
    if (known !== undefined && leader.highWatermark <= known.endOffset) return;
    if (known !== undefined && !agree(leader, known, known.endOffset)) {
      this.#violate(`broker ${leader.brokerId} commits another history of ${partition} in epoch ${leader.epoch}`);
    }
    const epoch = Math.max(known?.epoch ?? 0, leader.epoch);
    this.#committed.set(partition, { ...committedBy(leader), epoch });
  }

  /** Who could be elected now although it lacks what is committed; undefined when nobody could. */
  #danger(view: PartitionView, committed: Committed): string | undefined {
    for (const replica of view.replicas) {
      const lack = lacking(replica, committed);
      if (lack === undefined) continue;
      const outranked = view.replicas.filter((other) => this.#rules.compareRank(rankOf(other), rankOf(replica)) <= 0);
      if (outranked.length < majority(view.voters.length)) continue;
      const who = outranked
        .map((other) => `${other.brokerId} (${other.acceptedEpoch}, ${other.writtenOffset})`)
        .join(", ");
      return `${view.partition}: ${who} could elect broker ${replica.brokerId}, but ${lack}`;
    }
    return undefined;
  }
}

function committedBy(leader: LeaderView): Committed {
  const { startOffset, highWatermark, history, epoch } = leader;
  return { startOffset, endOffset: highWatermark, history: [...history], epoch };
}

function rankOf(replica: ReplicaView): Rank {
  return { acceptedEpoch: replica.acceptedEpoch, endOffset: replica.writtenOffset };
}

/** Why a replica does not hold all that is committed; undefined when it does. */
function lacking(replica: ReplicaView, committed: Committed): string | undefined {
  if (replica.writtenOffset < committed.endOffset) {
    return `it holds up to ${replica.writtenOffset} of ${committed.endOffset} committed`;
  }
  if (!agree(replica, committed, committed.endOffset)) {
    return `its history below ${committed.endOffset} is another one than the committed`;
  }
  return undefined;
}

interface Written {
  readonly startOffset: number;
  readonly history: History;
}

/** Did both write the same epochs to the offsets that both still have, below `end`? */
function agree(one: Written, other: Written, end: number): boolean {
  const from = Math.max(one.startOffset, other.startOffset);
  const starts = [from, ...[...one.history, ...other.history].map((entry) => entry.startOffset)];
  return starts.every((offset) => {
    if (offset < from || offset >= end) return true;
    return epochAt(one.history, offset) === epochAt(other.history, offset);
  });
}

function epochAt(history: History, offset: number): number {
  return history.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
}
