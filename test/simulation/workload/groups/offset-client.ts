import { wireTopicId } from "../../../../broker/handlers/context/topic-ids.ts";
import type { ErrorName } from "../../../../shared/kafka/error-codes.ts";
import { offsetCommit } from "../../../../shared/kafka/schema/offset-commit.ts";
import { offsetFetch } from "../../../../shared/kafka/schema/offset-fetch.ts";
import type { GroupGenerations } from "../../checkers/group-generations.ts";
import type { OffsetLifetimes } from "../../checkers/offset-lifetimes.ts";
import type { OffsetRegisters, RegisterOp } from "../../checkers/offset-registers.ts";
import { errorOf, type GroupLink } from "./group-link.ts";
import { type GroupTopic, groupKey } from "./group-plan.ts";

/** What all clients of groups tell. */
export interface GroupCheckers {
  readonly registers: OffsetRegisters;
  readonly generations: GroupGenerations;
  readonly lifetimes: OffsetLifetimes;
  readonly nowMs: () => number;
  readonly violate: (message: string) => void;
  readonly count: (name: string) => void;
}

export interface Committer {
  readonly memberId: string;
  /** -1: no member. */
  readonly generation: number;
  readonly instanceId: string | null;
}

export interface OffsetToCommit {
  readonly topic: GroupTopic;
  readonly partition: number;
  readonly offset: number;
}

/** With these a commit was not made and never will be. */
const refusals: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "COORDINATOR_LOAD_IN_PROGRESS",
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "FENCED_INSTANCE_ID",
  "REBALANCE_IN_PROGRESS",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
]);
const unknownOutcomes: ReadonlySet<ErrorName> = new Set<ErrorName>(["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"]);
const topicIdsFrom = 10;
const manyGroupsFrom = 8;
const instancesFrom = 7;

/** Commits and reads the offsets of one group, and tells the checkers. */
export class OffsetClient {
  readonly #link: GroupLink;
  readonly #groupId: string;
  readonly #checkers: GroupCheckers;
  #commits = 0;
  /** Where the last commit was acknowledged. */
  #committedAt: string | undefined;

  constructor(link: GroupLink, groupId: string, checkers: GroupCheckers) {
    this.#link = link;
    this.#groupId = groupId;
    this.#checkers = checkers;
  }

  key(topicId: string, partition: number): string {
    return `${groupKey(this.#link.lkc, this.#groupId)}/${topicId}/${partition}`;
  }

  /** The worst error of any partition; LOST when nobody knows. `byId`: names of these topics are used more than once. */
  async commit(
    offsets: readonly OffsetToCommit[],
    committer: Committer,
    byId = false,
  ): Promise<ErrorName | "LOST" | "NOWHERE"> {
    const { registers, nowMs } = this.#checkers;
    const { process } = this.#link;
    const address = await this.#link.coordinatorOf(this.#groupId);
    if (address === undefined) return "NOWHERE";
    const oldest = committer.instanceId === null ? 2 : instancesFrom;
    const version = byId ? topicIdsFrom : oldest + process.random.below(offsetCommit.versions.max - oldest + 1);
    const sentMs = nowMs();
    const ops = offsets.map(({ topic, partition }) =>
      registers.sent(this.key(topic.topicId, partition), this.#newId()),
    );
    const told = await this.#link.ask(offsetCommit, version, this.#commitBody(offsets, ops, committer), { address });
    if (told.kind === "lost") return "LOST";
    const errors = told.body.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorOf(errorCode)));
    for (const [index, op] of ops.entries()) this.#settle(op, errors[index], told.servedMs);
    const worst = errors.find((error) => error !== "NONE") ?? "NONE";
    if (worst === "NONE") this.#accepted(committer.generation, { sentMs, servedMs: told.servedMs, address });
    return worst;
  }

  /** What is committed for these topics, by `topicId/partition`; undefined when the coordinator did not say. */
  async fetch(topics: readonly GroupTopic[], byId = false): Promise<ReadonlyMap<string, number> | ErrorName | "LOST"> {
    const { nowMs } = this.#checkers;
    const address = await this.#link.coordinatorOf(this.#groupId);
    if (address === undefined) return "LOST";
    const version = byId ? topicIdsFrom : this.#link.process.random.pick([1, 2, 5, 7, 8, 9, 10]);
    const wantsAll = !byId && version >= 2 && this.#link.process.random.chance(0.3);
    const asked = topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId: wireTopicId(topicId),
      partitionIndexes: Array.from({ length: partitions }, (_, partition) => partition),
    }));
    const groupId = this.#groupId;
    const wanted = wantsAll ? null : asked;
    const body = version < manyGroupsFrom ? { groupId, topics: wanted } : { groups: [{ groupId, topics: wanted }] };
    const startMs = nowMs();
    const told = await this.#link.ask(offsetFetch, version, body, { address });
    if (told.kind === "lost") return "LOST";
    const answer = version < manyGroupsFrom ? told.body : told.body.groups[0];
    if (answer === undefined) throw new Error("an answer without the group");
    if (answer.errorCode !== 0) return errorOf(answer.errorCode);
    const byName = new Map(
      answer.topics.map((topic) => [
        version >= topicIdsFrom ? (topic as { readonly topicId?: string }).topicId : topic.name,
        topic,
      ]),
    );
    const found = new Map<string, number>();
    for (const topic of topics) {
      const given = byName.get(version >= topicIdsFrom ? wireTopicId(topic.topicId) : topic.name);
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        const one = given?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
        if (one !== undefined && one.errorCode !== 0) return errorOf(one.errorCode);
        const id = one === undefined || one.committedOffset < 0 ? undefined : (one.metadata ?? "");
        this.#read(this.key(topic.topicId, partition), id, { startMs, servedMs: told.servedMs });
        if (one !== undefined && id !== undefined) found.set(`${topic.topicId}/${partition}`, one.committedOffset);
      }
    }
    return found;
  }

  #commitBody(offsets: readonly OffsetToCommit[], ops: readonly RegisterOp[], committer: Committer) {
    const topics = offsets.map(({ topic, partition, offset }, index) => ({
      name: topic.name,
      topicId: wireTopicId(topic.topicId),
      partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: ops[index]?.id ?? "" }],
    }));
    const { memberId, generation, instanceId: groupInstanceId } = committer;
    return { groupId: this.#groupId, generationIdOrMemberEpoch: generation, memberId, groupInstanceId, topics };
  }

  #read(key: string, id: string | undefined, at: { readonly startMs: number; readonly servedMs: number }): void {
    this.#checkers.registers.read({ key, id, ...at, by: this.#link.process.name });
  }

  #settle(op: RegisterOp, error: ErrorName | undefined, servedMs: number): void {
    const { registers, violate, count } = this.#checkers;
    if (error === "NONE") registers.acknowledged(op, servedMs);
    else if (error !== undefined && refusals.has(error)) registers.refused(op);
    else if (error !== undefined && unknownOutcomes.has(error)) count("group: commit of unknown outcome");
    else violate(`a commit to ${op.key} was answered with ${error ?? "nothing"}`);
  }

  #accepted(
    generation: number,
    at: { readonly sentMs: number; readonly servedMs: number; readonly address: string },
  ): void {
    const { generations, count } = this.#checkers;
    if (generation >= 0) generations.committed(groupKey(this.#link.lkc, this.#groupId), { generation, ...at });
    if (this.#committedAt !== undefined && this.#committedAt !== at.address) count("group: committed after a failover");
    this.#committedAt = at.address;
  }

  #newId(): string {
    this.#commits += 1;
    return `${this.#link.process.name}.${this.#groupId}#${this.#commits}`;
  }
}
