import type { ResponseOf } from "../../../../shared/kafka/codec/fields.ts";
import type { ErrorName } from "../../../../shared/kafka/error-codes.ts";
import { heartbeat } from "../../../../shared/kafka/schema/heartbeat.ts";
import { joinGroup } from "../../../../shared/kafka/schema/join-group.ts";
import { leaveGroup } from "../../../../shared/kafka/schema/leave-group.ts";
import { syncGroup } from "../../../../shared/kafka/schema/sync-group.ts";
import { assign, consumerProtocol, readAssignment, subscription } from "./assignments.ts";
import { errorOf, type GroupLink, isElsewhere } from "./group-link.ts";
import { type GroupTopic, groupKey, mark, type PlannedGroup, type PlannedMember } from "./group-plan.ts";
import { type GroupCheckers, OffsetClient } from "./offset-client.ts";

const heartbeatMs = 300;
const backoffMsMax = 120;
const instancesFrom = 5;
/** Lets the coordinator answer first. */
const joinSlackMs = 1_500;

export interface GroupMemberOptions {
  readonly link: GroupLink;
  readonly group: PlannedGroup;
  readonly member: PlannedMember;
  readonly topics: readonly GroupTopic[];
  readonly checkers: GroupCheckers;
  /** It reads the first topic only, from the beginning. */
  readonly isNarrow: boolean;
}

interface Joined {
  readonly body: ResponseOf<typeof joinGroup>;
  readonly servedMs: number;
}

/**
 * One consumer as Kafka's Java client is one: finds its coordinator, joins, syncs, reads where its group stood, then
 * heart-beats and commits what it "consumed", and does after each answer what that client does. Its process may be paused,
 * killed or cut off at any time.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #offsets: OffsetClient;
  #memberId = "";
  #generation = -1;
  #partitions: readonly string[] = [];
  #isLeaving = false;
  /** News of itself, so that the group rebalances. */
  #news = 0;
  /** What of it the group was told when it joined last. */
  #toldNews = 0;
  #joins = 0;
  #isNarrow: boolean;
  #isStable = false;
  /** When the coordinator last answered a sign of life with NONE, and the longest time without since it was asked. */
  #aliveMs = Number.NEGATIVE_INFINITY;
  #longestSilenceMs = 0;
  committedMs = Number.NEGATIVE_INFINITY;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#isNarrow = options.isNarrow;
    this.#offsets = new OffsetClient(options.link, options.group.groupId, options.checkers);
  }

  /** The generation in which it has its assignment; undefined while it has none. */
  get stableGeneration(): number | undefined {
    return this.#isStable ? this.#generation : undefined;
  }

  get aliveMs(): number {
    return this.#aliveMs;
  }

  /** Longest time that its coordinator may not have heard of it, since this was last asked. */
  takeLongestSilenceMs(): number {
    const longest = Math.max(this.#longestSilenceMs, this.#options.checkers.nowMs() - this.#aliveMs);
    this.#longestSilenceMs = 0;
    return longest;
  }

  /** Until it left. */
  async run(): Promise<void> {
    while (!this.#isLeaving) {
      this.#isStable = false;
      const joined = await this.#join();
      if (joined !== undefined && (await this.#sync(joined))) await this.#consume();
      else await this.#pause();
    }
    this.#isStable = false;
    await this.#leave();
  }

  leave(): void {
    this.#isLeaving = true;
    this.#options.checkers.lifetimes.leaves(this.#name);
  }

  /** It subscribes to something else: the group has to rebalance. */
  changeMind(): void {
    this.#news += 1;
  }

  /** It gives up all topics but the first. */
  narrow(): void {
    if (this.#isNarrow) return;
    this.#isNarrow = true;
    this.#news += 1;
  }

  get #name(): string {
    return groupKey(this.#options.link.lkc, this.#options.group.groupId);
  }

  get #identity() {
    const { group, member } = this.#options;
    return { groupId: group.groupId, memberId: this.#memberId, groupInstanceId: member.instanceId };
  }

  #pause(): Promise<void> {
    const { link } = this.#options;
    return link.pause(link.process.random.between(20, backoffMsMax));
  }

  /** Undefined: to be tried again. */
  async #join(): Promise<Joined | undefined> {
    const { link, group, member, topics, checkers } = this.#options;
    const address = await link.coordinatorOf(group.groupId);
    if (address === undefined) return undefined;
    this.#joins += 1;
    this.#toldNews = this.#news;
    const { sessionTimeoutMs, rebalanceTimeoutMs } = group;
    const read = this.#topics;
    for (const { topicId } of topics.slice(read.length)) checkers.lifetimes.givesUp(this.#name, topicId);
    const names = read.map(({ name }) => name);
    const body = {
      ...this.#identity,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocolType: "consumer",
      protocols: [{ name: consumerProtocol, metadata: subscription(names, `news ${this.#news}`) }],
    };
    const version = link.process.random.pick(member.instanceId === null ? [2, 4, 7, 9] : [instancesFrom, 7, 9]);
    const timeoutMs = 2 * rebalanceTimeoutMs + joinSlackMs;
    const told = await link.ask(joinGroup, version, body, { address, timeoutMs });
    if (told.kind === "lost") {
      link.forgetCoordinator(group.groupId);
      return undefined;
    }
    const error = errorOf(told.body.errorCode);
    if (error !== "NONE") {
      if (error === "MEMBER_ID_REQUIRED") this.#memberId = told.body.memberId;
      else this.#refused(error);
      return undefined;
    }
    const { memberId, generationId: generation, leader, protocolName } = told.body;
    this.#memberId = memberId;
    this.#generation = generation;
    this.#alive();
    checkers.generations.joined(this.#name, mark(link.lkc, group.groupId), {
      memberId,
      instanceId: member.instanceId,
      generation,
      leaderId: leader,
      protocol: protocolName ?? "",
      members: told.body.members.map((one) => ({ memberId: one.memberId, instanceId: one.groupInstanceId ?? null })),
      servedMs: told.servedMs,
    });
    return { body: told.body, servedMs: told.servedMs };
  }

  /** Whether it has its assignment now. */
  async #sync({ body: joined }: Joined): Promise<boolean> {
    const { link, group, member, checkers } = this.#options;
    const address = await link.coordinatorOf(group.groupId);
    if (address === undefined) return false;
    const leads = joined.leader === this.#memberId && !joined.skipAssignment;
    const nonce = `${this.#memberId}/${this.#generation}/${this.#joins}`;
    const ids = joined.members.map(({ memberId }) => memberId);
    const assignments = leads ? assign(ids, this.#topics, nonce) : [];
    const version = link.process.random.pick(member.instanceId === null ? [1, 3, 5] : [3, 5]);
    const sentMs = checkers.nowMs();
    const names = version < 5 ? {} : { protocolType: "consumer", protocolName: joined.protocolName };
    const body = { ...this.#identity, generationId: this.#generation, ...names, assignments };
    const timeoutMs = 2 * group.rebalanceTimeoutMs + joinSlackMs;
    const told = await link.ask(syncGroup, version, body, { address, timeoutMs });
    if (told.kind === "lost") {
      link.forgetCoordinator(group.groupId);
      return false;
    }
    const error = errorOf(told.body.errorCode);
    if (error !== "NONE") {
      this.#refused(error);
      return false;
    }
    this.#belongs(told.servedMs);
    const assignment = readAssignment(told.body.assignment);
    if (assignment === undefined) {
      checkers.violate(`${this.#memberId} has no assignment in generation ${this.#generation} of ${this.#name}`);
      return false;
    }
    this.#partitions = assignment.partitions;
    this.#isStable = true;
    checkers.generations.synced(this.#name, {
      memberId: this.#memberId,
      instanceId: member.instanceId,
      generation: this.#generation,
      leaderId: joined.leader,
      protocol: joined.protocolName ?? "",
      servedMs: told.servedMs,
      sentMs,
      ...assignment,
    });
    return true;
  }

  /** Until it has to join again, or leaves. */
  async #consume(): Promise<void> {
    const { link } = this.#options;
    const positions = await this.#readPositions();
    while (this.#isStable && !this.#isLeaving && this.#toldNews === this.#news) {
      await link.pause(heartbeatMs * link.process.random.between(0.8, 1.2));
      await this.#heartbeat();
      if (this.#isStable && positions !== undefined && link.process.random.chance(0.6)) await this.#commit(positions);
    }
  }

  async #readPositions(): Promise<Map<string, number> | undefined> {
    const { link, group, topics } = this.#options;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const found = await this.#offsets.fetch(topics);
      if (typeof found !== "string") return new Map(found);
      if (found !== "COORDINATOR_LOAD_IN_PROGRESS") link.forgetCoordinator(group.groupId);
      await this.#pause();
    }
    return new Map();
  }

  async #heartbeat(): Promise<void> {
    const { link, group, member } = this.#options;
    const address = await link.coordinatorOf(group.groupId);
    if (address === undefined) return;
    const version = link.process.random.pick(member.instanceId === null ? [0, 2, 4] : [3, 4]);
    const body = { ...this.#identity, generationId: this.#generation };
    const told = await link.ask(heartbeat, version, body, { address });
    if (told.kind === "lost") return link.forgetCoordinator(group.groupId);
    const error = errorOf(told.body.errorCode);
    if (error === "NONE") this.#belongs(told.servedMs);
    else this.#refused(error);
  }

  async #commit(positions: Map<string, number>): Promise<void> {
    const { link, group, topics, member, checkers } = this.#options;
    const offsets = topics.flatMap((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => partition).flatMap((partition) => {
        const place = `${topic.topicId}/${partition}`;
        if (!this.#partitions.includes(place)) return [];
        // Of the first partition comes nothing new: what is committed gets old while it is read.
        if (topic === topics[0] && partition === 0 && positions.has(place)) return [];
        const offset = (positions.get(place) ?? 0) + 1 + link.process.random.below(5);
        positions.set(place, offset);
        return [{ topic, partition, offset }];
      }),
    );
    if (offsets.length === 0) return;
    const { memberId } = this;
    const committer = { memberId, generation: this.#generation, instanceId: member.instanceId };
    const error = await this.#offsets.commit(offsets, committer);
    if (error === "NONE") {
      this.#alive();
      checkers.lifetimes.committed(this.#name);
      this.committedMs = checkers.nowMs();
    } else if (error === "LOST") link.forgetCoordinator(group.groupId);
    else if (error !== "NOWHERE") this.#refused(error);
  }

  get memberId(): string {
    return this.#memberId;
  }

  async #leave(): Promise<void> {
    const { link, group, member } = this.#options;
    const address = await link.coordinatorOf(group.groupId);
    if (address === undefined || this.#memberId === "") return;
    const version = member.instanceId === null ? link.process.random.pick([1, 3, 5]) : 5;
    const { memberId, groupInstanceId, groupId } = this.#identity;
    const members = [{ memberId, groupInstanceId }];
    await link.ask(leaveGroup, version, version < 3 ? { groupId, memberId } : { groupId, members }, { address });
  }

  /** What it subscribes to. */
  get #topics(): readonly GroupTopic[] {
    const { topics } = this.#options;
    return this.#isNarrow ? topics.slice(0, 1) : topics;
  }

  /** It is told that it is a member of a generation that is stored. */
  #belongs(servedMs: number): void {
    const { lifetimes, generations } = this.#options.checkers;
    this.#alive();
    // A group that nobody is in goes as soon as it has no offsets.
    if (lifetimes.alive(this.#name, servedMs)) generations.mayBeDeleted(this.#name);
  }

  #alive(): void {
    const nowMs = this.#options.checkers.nowMs();
    if (this.#aliveMs > 0) this.#longestSilenceMs = Math.max(this.#longestSilenceMs, nowMs - this.#aliveMs);
    this.#aliveMs = nowMs;
  }

  /** What the Java client does after an answer that is no success. */
  #refused(error: ErrorName): void {
    const { link, group, checkers } = this.#options;
    if (isElsewhere(error)) return link.forgetCoordinator(group.groupId);
    switch (error) {
      case "COORDINATOR_LOAD_IN_PROGRESS":
        return;
      case "REBALANCE_IN_PROGRESS":
        this.#isStable = false;
        return;
      case "ILLEGAL_GENERATION":
        checkers.count("group: member of an old generation refused");
        this.#isStable = false;
        this.#generation = -1;
        return;
      case "UNKNOWN_MEMBER_ID":
      case "FENCED_INSTANCE_ID":
        checkers.count(error === "UNKNOWN_MEMBER_ID" ? "group: member expired" : "group: member fenced");
        this.#isStable = false;
        this.#generation = -1;
        this.#memberId = "";
        return;
      default:
        checkers.violate(`${this.#memberId} of ${this.#name} was answered with ${error}`);
    }
  }
}
