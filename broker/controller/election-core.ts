/**
 * Decisions of the controller about leaders: pure functions of records, answers and who is alive (DESIGN section 5,
 * Failover; the model's Seal and Elect).
 */
import type { BrokerId, MetadataRecord, PartitionState, TopicId } from "../../shared/metadata/records/record.ts";
import { noLeader } from "../../shared/metadata/records/record.ts";
import { isQuorum, majority } from "../replication/quorum.ts";
import type { Rank, ReplicationRules } from "../replication/replication-rules.ts";

/** A partition and the record of it under which something was observed or decided. */
export interface PartitionKey {
  readonly topicId: TopicId;
  readonly partition: number;
}

/** Seal answer of one replica, gathered under one record of the partition. */
export interface SealedAnswer extends Rank {
  readonly broker: BrokerId;
  readonly logStartOffset: number;
  /** Its data may not have survived: counts in no quorum. */
  readonly lost: boolean;
}

/** What the controller knows of the cell, besides the image. */
export interface ClusterView {
  isAlive(broker: BrokerId): boolean;
  /** A leader that is alive and hears, and is heard by, a majority of the voters (or has not been alone for long). */
  isConnected(leader: BrokerId, record: PartitionState): boolean;
  /** Leaving brokers lead only when nobody else can. */
  isDraining(broker: BrokerId): boolean;
}

/** Is the record's leader gone, or an election begun and not ended? */
export function needsElection(
  record: PartitionState,
  view: ClusterView,
  reported: boolean,
  rules: Pick<ReplicationRules, "reportsRefusal">,
): boolean {
  if (record.leader === noLeader) return true;
  if (record.intendedEpoch > record.leaderEpoch && rules.reportsRefusal()) return true;
  if (reported) return true;
  if (!view.isAlive(record.leader)) return true;
  if (view.isConnected(record.leader, record)) return false;
  // If nobody is better off, an election would change nothing, and the next look would ask for another one.
  return record.voters.some((voter) => canTakeOver(voter, record, view));
}

function canTakeOver(voter: BrokerId, record: PartitionState, view: ClusterView): boolean {
  if (voter === record.leader || record.lost.includes(voter)) return false;
  return view.isAlive(voter) && view.isConnected(voter, record);
}

/** Who is asked for a seal. */
export function sealTargets(record: PartitionState): readonly BrokerId[] {
  return [...new Set([...record.voters, ...record.outgoing])];
}

/** Could an election succeed with those who are alive? If not, nothing is appended to the log in vain. */
export function isElectable(record: PartitionState, view: ClusterView): boolean {
  return isQuorum(record, (broker) => view.isAlive(broker) && !record.lost.includes(broker));
}

/**
 * Did too few voters keep their data for a majority ever to answer? Then the cell may only go on from what is left
 * (DESIGN section 5, Survival). Those who kept theirs must be `there`; of the others a majority, or all. Asked of who is
 * alive before an election, and of who answered before a leader is chosen.
 */
export function isRecoverable(
  record: PartitionState,
  there: (broker: BrokerId) => boolean,
  options: { readonly waited: boolean },
): boolean {
  const sets = [record.voters, record.outgoing].filter((set) => set.length > 0);
  const keptData = (broker: BrokerId) => !record.lost.includes(broker);
  if (sets.every((set) => set.filter(keptData).length >= majority(set.length))) return false;
  const members = sealTargets(record);
  if (members.every(there)) return true;
  if (!options.waited || !members.filter(keptData).every(there)) return false;
  return sets.every((set) => set.filter(there).length >= majority(set.length));
}

/** The epoch for which replicas are sealed: the one already intended, if an election was begun, else the next. */
export function electionEpoch(record: PartitionState): number {
  return record.intendedEpoch > record.leaderEpoch ? record.intendedEpoch : record.leaderEpoch + 1;
}

export interface Choice {
  readonly leader: BrokerId;
  readonly logStartOffset: number;
  /** Voters still without a vote. */
  readonly lost: readonly BrokerId[];
  /** Elected without a majority of surviving voters: acknowledged records may be missing. */
  readonly recovered: boolean;
}

export interface ChoiceOptions {
  readonly rules: Pick<ReplicationRules, "compareRank">;
  readonly view: Pick<ClusterView, "isDraining" | "isConnected">;
  /** Leads if nobody outranks it: the target of a hand-over. */
  readonly preferred: BrokerId | undefined;
  /** May a leader be chosen without a majority of surviving voters, and were those who are away waited for? */
  readonly recover: { readonly waited: boolean } | undefined;
}

/**
 * The next leader, out of a quorum of seal answers: the highest rank. Among equals the preferred one, then the first in
 * the order of voters. A broker that drains, or would not hear a majority, is left out of the quorum when the others are
 * one (any majority is safe).
 */
export function chooseLeader(
  record: PartitionState,
  answers: readonly SealedAnswer[],
  options: ChoiceOptions,
): Choice | undefined {
  const voting = answers.filter((answer) => !answer.lost);
  const { view, recover } = options;
  const staying = voting.filter(({ broker }) => !view.isDraining(broker) && view.isConnected(broker, record));
  const logStartOffset = Math.max(record.logStartOffset, ...answers.map((answer) => answer.logStartOffset));
  for (const group of [staying, voting]) {
    if (!isQuorum(record, (broker) => group.some((answer) => answer.broker === broker))) continue;
    const leader = highestRank(record, group, options);
    if (leader !== undefined) return { leader, logStartOffset, lost: record.lost, recovered: false };
  }
  const answered = (broker: BrokerId) => answers.some((answer) => answer.broker === broker);
  if (recover === undefined || !isRecoverable(record, answered, recover)) return undefined;
  const leader = highestRank(record, answers, options);
  if (leader === undefined) return undefined;
  // Whoever promised the new epoch starts afresh with it: all that counts from now on is what it leads.
  const lost = record.lost.filter((broker) => !answered(broker));
  return { leader, logStartOffset, lost, recovered: true };
}

function highestRank(
  record: PartitionState,
  answers: readonly SealedAnswer[],
  options: ChoiceOptions,
): BrokerId | undefined {
  let best: SealedAnswer | undefined;
  for (const broker of preferenceOrder(record, options.preferred)) {
    const answer = answers.find((candidate) => candidate.broker === broker);
    if (answer !== undefined && (best === undefined || options.rules.compareRank(answer, best) > 0)) best = answer;
  }
  return best?.broker;
}

function preferenceOrder(record: PartitionState, preferred: BrokerId | undefined): readonly BrokerId[] {
  const members = sealTargets(record);
  if (preferred === undefined || !members.includes(preferred)) return members;
  return [preferred, ...members.filter((member) => member !== preferred)];
}

/** The record that makes the choice the leader, in the epoch for which the replicas were sealed. */
export function electedState(record: PartitionState, choice: Choice): PartitionState {
  const epoch = electionEpoch(record);
  return {
    ...record,
    partitionEpoch: record.partitionEpoch + 1,
    leader: choice.leader,
    leaderEpoch: epoch,
    intendedEpoch: epoch,
    logStartOffset: choice.logStartOffset,
    lost: choice.lost,
  };
}

/** Partition changes grouped by topic, as the log's records want them. */
export function partitionsUpserted(
  changes: readonly (PartitionKey & { readonly state: PartitionState })[],
): MetadataRecord[] {
  const byTopic = Map.groupBy(changes, (change) => change.topicId);
  return [...byTopic].map(([topicId, list]) => ({
    type: "partitions-upserted" as const,
    topicId,
    partitions: list.map((change) => change.state),
  }));
}

/** The intents that are not in the log yet, grouped by topic. */
export function electionsIntended(
  keys: readonly (PartitionKey & { readonly record: PartitionState })[],
): MetadataRecord[] {
  const fresh = keys.filter(({ record }) => record.intendedEpoch <= record.leaderEpoch);
  const byTopic = Map.groupBy(fresh, (key) => key.topicId);
  return [...byTopic].map(([topicId, list]) => ({
    type: "election-intended" as const,
    topicId,
    partitions: list.map(({ record }) => ({
      partition: record.partition,
      partitionEpoch: record.partitionEpoch + 1,
      intendedEpoch: electionEpoch(record),
    })),
  }));
}
