import type { ErrorName } from "../../../../shared/kafka/error-codes.ts";
import { createTopics } from "../../../../shared/kafka/schema/create-topics.ts";
import { deleteGroups } from "../../../../shared/kafka/schema/delete-groups.ts";
import { deleteTopics } from "../../../../shared/kafka/schema/delete-topics.ts";
import { describeGroups } from "../../../../shared/kafka/schema/describe-groups.ts";
import { listGroups } from "../../../../shared/kafka/schema/list-groups.ts";
import { offsetDelete } from "../../../../shared/kafka/schema/offset-delete.ts";
import type { RegisterOp } from "../../checkers/offset-registers.ts";
import { errorOf, type GroupLink, isElsewhere } from "./group-link.ts";
import { fleetingTopicName, type GroupTopic, groupKey, mark, simpleGroupId } from "./group-plan.ts";
import { type GroupCheckers, OffsetClient } from "./offset-client.ts";
import { describedTopics } from "./tenant-topics.ts";

const gapMs = 280;
const adminTimeoutMs = 3_000;
const committer = { memberId: "", generation: -1, instanceId: null } as const;

export interface AuditorOptions {
  readonly link: GroupLink;
  /** Groups with members, of its tenant. */
  readonly groupIds: readonly string[];
  readonly topics: readonly GroupTopic[];
  readonly checkers: GroupCheckers;
  /** Makes and deletes the fleeting topic. */
  readonly hasFleetingTopic: boolean;
  /** The log of this group's partition holds tombstones from now on. */
  readonly onDeleted: (groupId: string) => void;
}

/**
 * A client beside the members of a tenant's groups: reads what they commit, commits by hand to a group without members,
 * deletes offsets and groups, and looks at what the brokers say of groups. It looks for a coordinator anew only when an
 * answer tells it to, so a coordinator that was replaced is asked too.
 */
export class Auditor {
  readonly #options: AuditorOptions;
  readonly #offsets = new Map<string, OffsetClient>();
  #position = 0;
  #fleeting: GroupTopic | undefined;
  #isStopped = false;
  #leavesFadingAlone = false;
  /** Last acknowledged commit by hand. */
  committedMs = Number.NEGATIVE_INFINITY;

  constructor(options: AuditorOptions) {
    this.#options = options;
    for (const groupId of [simpleGroupId, ...options.groupIds]) {
      this.#offsets.set(groupId, new OffsetClient(options.link, groupId, options.checkers));
    }
  }

  async run(): Promise<void> {
    const { link, hasFleetingTopic } = this.#options;
    const { random } = link.process;
    const acts = {
      read: 8,
      commit: 6,
      look: 3,
      "delete-offsets": 1,
      "delete-group": 1,
      fleeting: hasFleetingTopic ? 3 : 0,
    };
    while (!this.#isStopped) {
      await link.pause(random.exponential(gapMs));
      await this.#act(random.weighted(acts));
    }
  }

  /** From now on one partition is committed no more: its offset is to go by itself. */
  letFade(): void {
    this.#leavesFadingAlone = true;
  }

  /** No changes any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Reads everything that its tenant's groups have committed, each until it was told. */
  async readAll(): Promise<void> {
    for (const groupId of this.#offsets.keys()) while (!(await this.#read(groupId))) await this.#options.link.pause(50);
  }

  async #act(kind: "read" | "commit" | "look" | "delete-offsets" | "delete-group" | "fleeting"): Promise<void> {
    const { link, groupIds } = this.#options;
    const { random } = link.process;
    switch (kind) {
      case "read":
        await this.#read(random.pick([simpleGroupId, ...groupIds]));
        return;
      case "commit":
        return this.#commit();
      case "look":
        return random.chance(0.5) ? this.#list() : this.#describe();
      case "delete-offsets":
        return this.#deleteOffsets();
      case "delete-group":
        return this.#deleteGroup(random.chance(0.8) ? simpleGroupId : random.pick(groupIds));
      case "fleeting":
        return this.#fleetingTopic();
    }
  }

  /** Whether the coordinator answered. */
  async #read(groupId: string): Promise<boolean> {
    const { topics } = this.#options;
    const byId = this.#fleeting !== undefined && groupId === simpleGroupId;
    const all = byId ? [...topics, this.#fleeting as GroupTopic] : topics;
    const found = await this.#client(groupId).fetch(all, byId);
    if (typeof found !== "string") return true;
    if (found === "UNKNOWN_TOPIC_ID") this.#fleeting = undefined;
    else this.#failed(groupId, found);
    return false;
  }

  async #commit(): Promise<void> {
    const { topics, link, checkers } = this.#options;
    const { random } = link.process;
    const byId = this.#fleeting !== undefined && random.chance(0.5);
    const topic = byId ? (this.#fleeting as GroupTopic) : random.pick(topics);
    const partition = random.below(topic.partitions);
    if (this.#leavesFadingAlone && topic === topics[0] && partition === 0) return;
    this.#position += 1 + random.below(5);
    const offsets = [{ topic, partition, offset: this.#position }];
    const error = await this.#client(simpleGroupId).commit(offsets, committer, byId);
    if (error === "NONE") this.committedMs = checkers.nowMs();
    else if (error !== "NOWHERE") this.#failed(simpleGroupId, error);
  }

  async #deleteOffsets(): Promise<void> {
    const { topics, link, checkers } = this.#options;
    const { random } = link.process;
    const topic = random.pick(topics);
    const partition = random.below(topic.partitions);
    const address = await link.coordinatorOf(simpleGroupId);
    if (address === undefined) return;
    const op = checkers.registers.sent(this.#client(simpleGroupId).key(topic.topicId, partition), undefined);
    const partitions = [{ partitionIndex: partition }];
    const body = { groupId: simpleGroupId, topics: [{ name: topic.name, partitions }] };
    const told = await link.ask(offsetDelete, 0, body, { address, timeoutMs: adminTimeoutMs });
    if (told.kind === "lost") return this.#failed(simpleGroupId, "LOST");
    const error = errorOf(told.body.errorCode || (told.body.topics[0]?.partitions[0]?.errorCode ?? 0));
    if (error === "NONE") {
      checkers.count("group: offsets deleted");
      this.#options.onDeleted(simpleGroupId);
      checkers.registers.acknowledged(op, told.servedMs);
    } else if (error === "GROUP_ID_NOT_FOUND") checkers.registers.refused(op);
    else this.#failed(simpleGroupId, error);
  }

  async #deleteGroup(groupId: string): Promise<void> {
    const { topics, link, checkers } = this.#options;
    const address = await link.coordinatorOf(groupId);
    if (address === undefined) return;
    const client = this.#client(groupId);
    const all = this.#fleeting === undefined ? topics : [...topics, this.#fleeting];
    const ops = all.flatMap(({ topicId, partitions }) =>
      Array.from({ length: partitions }, (_, partition) =>
        checkers.registers.sent(client.key(topicId, partition), undefined),
      ),
    );
    const body = { groupsNames: [groupId] };
    const told = await link.ask(deleteGroups, 2, body, { address, timeoutMs: adminTimeoutMs });
    const name = groupKey(link.lkc, groupId);
    checkers.lifetimes.mayBeGone(name);
    if (told.kind === "lost") {
      checkers.generations.mayBeDeleted(name);
      return this.#failed(groupId, "LOST");
    }
    const error = errorOf(told.body.results[0]?.errorCode ?? -1);
    if (error === "NONE") this.#groupDeleted(groupId, ops, told.servedMs);
    else if (error === "NON_EMPTY_GROUP" || error === "GROUP_ID_NOT_FOUND") {
      for (const op of ops) checkers.registers.refused(op);
    } else {
      if (isElsewhere(error)) checkers.generations.mayBeDeleted(name);
      this.#failed(groupId, error);
    }
  }

  #groupDeleted(groupId: string, ops: readonly RegisterOp[], servedMs: number): void {
    const { checkers, link, onDeleted } = this.#options;
    checkers.count("group: deleted");
    checkers.generations.deleted(groupKey(link.lkc, groupId));
    onDeleted(groupId);
    for (const op of ops) checkers.registers.acknowledged(op, servedMs);
  }

  /** Only groups of this tenant are listed, and members of this tenant described. */
  async #list(): Promise<void> {
    const { link, groupIds, checkers } = this.#options;
    const told = await link.askAny(listGroups, 5, {});
    if (told.kind === "lost") return;
    for (const { groupId } of told.body.groups) {
      if (groupId === simpleGroupId || groupIds.includes(groupId)) continue;
      checkers.violate(`${link.lkc} was told of the group ${groupId}, which it has not`);
    }
  }

  async #describe(): Promise<void> {
    const { link, groupIds, checkers } = this.#options;
    const groupId = link.process.random.pick(groupIds);
    const address = await link.coordinatorOf(groupId);
    if (address === undefined) return;
    const told = await link.ask(describeGroups, 5, { groups: [groupId] }, { address });
    if (told.kind === "lost") return this.#failed(groupId, "LOST");
    const group = told.body.groups[0];
    if (group === undefined || group.errorCode !== 0) return this.#failed(groupId, errorOf(group?.errorCode ?? 0));
    for (const { memberId } of group.members) {
      if (memberId.startsWith(mark(link.lkc, groupId))) continue;
      checkers.violate(`${memberId} was described as a member of ${groupKey(link.lkc, groupId)}`);
    }
  }

  /** Makes it, or deletes it; what is committed for it goes with it, some time after. */
  async #fleetingTopic(): Promise<void> {
    const { link, checkers } = this.#options;
    const name = fleetingTopicName;
    if (this.#fleeting === undefined) {
      const topics = [{ name, numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] }];
      await link.askAny(createTopics, 7, { topics, timeoutMs: adminTimeoutMs });
      this.#fleeting = (await describedTopics(link, [name]))?.[0];
      return;
    }
    const { topicId } = this.#fleeting;
    this.#fleeting = undefined;
    checkers.registers.sent(this.#client(simpleGroupId).key(topicId, 0), undefined);
    const told = await link.askAny(deleteTopics, 5, { topicNames: [name], timeoutMs: adminTimeoutMs });
    if (told.kind === "told" && told.body.responses[0]?.errorCode === 0)
      checkers.count("group: topic of offsets deleted");
  }

  #failed(groupId: string, error: ErrorName | "LOST"): void {
    const { link, checkers } = this.#options;
    if (error === "LOST" || isElsewhere(error)) link.forgetCoordinator(groupId);
    else if (error !== "COORDINATOR_LOAD_IN_PROGRESS" && error !== "UNKNOWN_TOPIC_ID") {
      checkers.violate(`${link.process.name} asked for ${groupId} and was answered with ${error}`);
    }
  }

  #client(groupId: string): OffsetClient {
    const client = this.#offsets.get(groupId);
    if (client === undefined) throw new Error(`no client for ${groupId}`);
    return client;
  }
}
