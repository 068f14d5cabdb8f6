import type { ErrorName } from "../../shared/kafka/error-codes.ts";
import { parseCellConfigs } from "../../shared/metadata/configs/topic-configs.ts";
import type { MetadataDelta, MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import { type BrokerId, type LogicalClusterId, noLeader } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { CommandGateway } from "../controller/command-gateway.ts";
import type { HostedPartition } from "../partition/partition-contract.ts";
import { type CoordinatedGroup, emptyGroupBytes } from "./coordinated-group.ts";
import type { CoordinatorError } from "./coordinator-errors.ts";
import { groupConfigOf } from "./group/group-config.ts";
import type {
  Answer,
  GroupConfig,
  HeartbeatInput,
  JoinAnswer,
  JoinInput,
  LeaveInput,
  LeftMember,
  SyncAnswer,
  SyncInput,
} from "./group/group-contract.ts";
import {
  type CommitInput,
  type DescribeOutcome,
  done,
  failed,
  type GroupName,
  type ListedGroup,
  type OffsetLookup,
  type Outcome,
  type TopicPartitionName,
} from "./group-requests.ts";
import { type CoordinatorEvent, GroupShard, type WaitingRequest } from "./group-shard.ts";
import { groupPartition, offsetsTopic } from "./internal-partition.ts";
import { ensureTopicMsMax, expiryIntervalMs, expiryOffsetsPerTurn, groupsPerTenantMax } from "./limits.ts";
import { expiredOffsets } from "./offsets/offset-expiry.ts";
import { StateUsage } from "./state-usage.ts";

/** Lower than limits and configurations allow: runs of the simulator last seconds. */
export interface OffsetExpiryTuning {
  readonly intervalMs: number;
  readonly retentionMs: number;
}

export interface GroupCoordinatorPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly commands: Pick<CommandGateway, "submit">;
  readonly expiry?: OffsetExpiryTuning | undefined;
  onEvent(event: CoordinatorEvent, count: number, tookMs?: number): void;
  image(): MetadataImage;
}

/** What a request that waits may be told of its client's end. */
export type WhenEnding = (run: () => void) => () => void;

/** Coordinates the groups whose internal partitions this broker leads (docs/adr/0008). */
export class GroupCoordinator {
  readonly #ports: GroupCoordinatorPorts;
  /** By number of the internal partition. */
  readonly #shards = new Map<number, GroupShard>();
  readonly #usage = new StateUsage();
  #config: GroupConfig;
  #cancelExpiry: CancelTimer | undefined;
  #ensuring: Promise<void> | undefined;
  #stopped = false;

  constructor(ports: GroupCoordinatorPorts) {
    this.#ports = ports;
    this.#config = groupConfigOf(parseCellConfigs(ports.image().cellConfigs));
  }

  start(): void {
    this.#planExpiry();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelExpiry?.();
    for (const shard of this.#shards.values()) shard.end();
    this.#shards.clear();
  }

  /** A leadership began or ended on this broker, of whatever partition. */
  onLeadership(hosted: HostedPartition): void {
    if (hosted.topicId !== offsetsTopic(this.#ports.image())?.topicId || this.#stopped) return;
    const present = this.#shards.get(hosted.partition);
    if (present?.epoch === hosted.leaderEpoch) return;
    this.#shards.delete(hosted.partition);
    present?.end();
    if (hosted.leaderEpoch === undefined) return;
    const { clock, timers, logger } = this.#ports;
    const shard = new GroupShard(hosted, hosted.leaderEpoch, {
      clock,
      timers,
      logger,
      usage: this.#usage,
      onEvent: (event, tookMs) => this.#ports.onEvent(event, 1, tookMs),
      groupConfig: () => this.#config,
      onLoaded: (loaded) => this.#tidy(loaded),
    });
    this.#shards.set(hosted.partition, shard);
    void shard.load();
  }

  onDelta(delta: MetadataDelta, image: MetadataImage): void {
    if (delta.cellConfigsChanged || delta.reset) {
      this.#config = groupConfigOf(parseCellConfigs(image.cellConfigs));
      for (const shard of this.#shards.values()) shard.reconfigure(this.#config);
    }
    if (delta.reset) {
      for (const shard of this.#shards.values()) this.#tidy(shard);
      return;
    }
    for (const lkc of delta.logicalClustersChanged) {
      if (image.logicalClusters.has(lkc)) continue;
      for (const shard of this.#shards.values()) shard.removeTenant(lkc);
    }
    if (delta.topicsDeleted.size === 0) return;
    for (const shard of this.#shards.values()) shard.removeTopics(delta.topicsDeleted);
  }

  /** The broker that coordinates the group; undefined while none does. Has the internal topic made if need be. */
  async locate(group: GroupName): Promise<BrokerId | undefined> {
    if (offsetsTopic(this.#ports.image()) === undefined) {
      this.#ensuring ??= this.#ensureTopic();
      await this.#ensuring;
    }
    const topic = offsetsTopic(this.#ports.image());
    if (topic === undefined) return undefined;
    const leader = topic.partitions[groupPartition(group, topic.partitions.length)]?.leader ?? noLeader;
    return leader === noLeader ? undefined : leader;
  }

  join(name: GroupName, input: JoinInput, whenEnding: WhenEnding): Promise<JoinAnswer> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return Promise.resolve(failedJoin(shard, input.memberId));
    let group = shard.find(name);
    if (group === undefined) {
      // Whoever has an id got it from a group that is gone.
      if (input.memberId !== "") return Promise.resolve(failedJoin("UNKNOWN_MEMBER_ID", input.memberId));
      if (this.#isFull(name)) return Promise.resolve(failedJoin("POLICY_VIOLATION", input.memberId));
      group = shard.findOrMake(name);
    }
    if (group.isRemoved) return Promise.resolve(failedJoin("COORDINATOR_LOAD_IN_PROGRESS", input.memberId));
    const room = this.#usage.room(name.lkc);
    return this.#wait({ shard, group, whenEnding }, (error) => failedJoin(error, input.memberId), {
      kind: "join",
      run: (ticket) => shard.enqueue(group, ticket, (classic, nowMs) => classic.join(input, ticket, nowMs, room)),
    });
  }

  sync(name: GroupName, input: SyncInput, whenEnding: WhenEnding): Promise<SyncAnswer> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") {
      // A coordinator that loads has lost the rebalance that was under way: the member joins again, without a new look-up.
      return Promise.resolve(failedSync(shard === "COORDINATOR_LOAD_IN_PROGRESS" ? "REBALANCE_IN_PROGRESS" : shard));
    }
    const group = shard.find(name);
    if (group === undefined) return Promise.resolve(failedSync("UNKNOWN_MEMBER_ID"));
    const room = this.#usage.room(name.lkc);
    return this.#wait({ shard, group, whenEnding }, failedSync, {
      kind: "sync",
      run: (ticket) => shard.enqueue(group, ticket, (classic, nowMs) => classic.sync(input, ticket, nowMs, room)),
    });
  }

  heartbeat(name: GroupName, input: HeartbeatInput): ErrorName {
    const shard = this.#shardOf(name);
    // Clients know no such answer to a heartbeat; sessions begin anew when the shard is loaded.
    if (shard === "COORDINATOR_LOAD_IN_PROGRESS") return "NONE";
    if (typeof shard === "string") {
      this.#noteAlive(name, input);
      return shard;
    }
    const group = shard.find(name);
    if (group === undefined) return "UNKNOWN_MEMBER_ID";
    return group.classic.heartbeat(input, this.#ports.clock.monotonicMs());
  }

  leave(name: GroupName, input: LeaveInput): Outcome<readonly LeftMember[]> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return failed(shard);
    const group = shard.find(name);
    if (group === undefined) {
      return done(input.members.map((member) => ({ ...member, error: "UNKNOWN_MEMBER_ID" as const })));
    }
    let members: readonly LeftMember[] = [];
    shard.act(group, (classic, nowMs) => {
      const left = classic.leave(input, nowMs);
      members = left.members;
      return left.effects;
    });
    return done(members);
  }

  /** Resolves when the offsets are committed, or with the one error of all of them. */
  commit(name: GroupName, input: CommitInput): Promise<ErrorName> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return Promise.resolve(shard);
    let group = shard.find(name);
    if (group === undefined) {
      if (input.generationId >= 0) return Promise.resolve("ILLEGAL_GENERATION");
      if (this.#isFull(name)) return Promise.resolve("POLICY_VIOLATION");
      group = shard.findOrMake(name);
    }
    if (group.isRemoved) return Promise.resolve("COORDINATOR_LOAD_IN_PROGRESS");
    const { memberId, generationId, groupInstanceId, offsets } = input;
    const nowMs = this.#ports.clock.monotonicMs();
    const error = group.classic.validateCommit(memberId, generationId, groupInstanceId, nowMs);
    if (error !== "NONE" || offsets.length === 0) return Promise.resolve(error);
    return new Promise((resolve) => shard.commit(group, offsets, resolve));
  }

  offsets(name: GroupName): Outcome<OffsetLookup | undefined> {
    const shard = this.#shardOf(name);
    return typeof shard === "string" ? failed(shard) : done(shard.find(name)?.offsets);
  }

  describe(name: GroupName): DescribeOutcome {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return failed(shard);
    const group = shard.find(name);
    return group === undefined ? failed("GROUP_ID_NOT_FOUND") : done(group.classic.describe());
  }

  /**
   * The tenant's groups on this broker. Fails while some are here and cannot be told, or are on no broker that clients
   * could ask: a list that misses groups looks like one of groups that are gone. `isAlive`: other brokers, as clients see them.
   */
  list(lkc: LogicalClusterId, isAlive: (id: BrokerId) => boolean): Outcome<readonly ListedGroup[]> {
    const listed: ListedGroup[] = [];
    for (const [number, { leader }] of (offsetsTopic(this.#ports.image())?.partitions ?? []).entries()) {
      const shard = this.#shards.get(number);
      const refusal = shard === undefined ? "NOT_COORDINATOR" : shard.refusal();
      if (shard === undefined || refusal === "NOT_COORDINATOR") {
        if (leader === this.#ports.self) return failed("COORDINATOR_LOAD_IN_PROGRESS");
        if (!isAlive(leader)) return failed("COORDINATOR_NOT_AVAILABLE");
        continue;
      }
      if (refusal !== undefined) return failed(refusal);
      for (const group of shard.groups()) {
        if (group.lkc !== lkc) continue;
        const { state, protocolType } = group.classic;
        listed.push({ groupId: group.groupId, protocolType: protocolType ?? "", state });
      }
    }
    return done(listed);
  }

  async delete(name: GroupName): Promise<ErrorName> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return shard;
    const group = shard.find(name);
    if (group === undefined) return "GROUP_ID_NOT_FOUND";
    const error = group.classic.validateDelete();
    if (error !== "NONE") return error;
    if (group.isRemoved) return "COORDINATOR_LOAD_IN_PROGRESS";
    // A commit of which it is not known yet whether it holds would survive its group.
    if (group.commitsUnderWay > 0) return "COORDINATOR_NOT_AVAILABLE";
    return shard.remove(group);
  }

  /** An error for each partition, in order: those that the group reads stay. */
  async deleteOffsets(name: GroupName, wanted: readonly TopicPartitionName[]): Promise<Outcome<readonly ErrorName[]>> {
    const shard = this.#shardOf(name);
    if (typeof shard === "string") return failed(shard);
    const group = shard.find(name);
    if (group === undefined) return failed("GROUP_ID_NOT_FOUND");
    const { classic, offsets } = group;
    const isConsumer = classic.protocolType === null || classic.protocolType === "consumer";
    if (!classic.isEmpty && !isConsumer) return failed("NON_EMPTY_GROUP");
    const subscribed = classic.isEmpty ? undefined : classic.subscribedTopics();
    const isRead = ({ topicName }: TopicPartitionName) =>
      !classic.isEmpty && (subscribed === undefined || subscribed.has(topicName));
    const deleted = wanted.flatMap((one) => {
      const value = isRead(one) ? undefined : offsets.get(one.topicId, one.partition);
      return value === undefined ? [] : [{ topicId: one.topicId, partition: one.partition, value }];
    });
    const error = deleted.length === 0 ? "NONE" : await shard.deleteOffsets(group, deleted);
    if (error !== "NONE") return failed(error);
    return done(wanted.map((one): ErrorName => (isRead(one) ? "GROUP_SUBSCRIBED_TO_TOPIC" : "NONE")));
  }

  /** What the tenant's groups take of this broker's memory, in bytes (`stateBytesPerTenantMax`). */
  stateBytes(lkc: LogicalClusterId): number {
    return this.#usage.of(lkc);
  }

  /** For metrics. */
  get groupCount(): number {
    let count = 0;
    for (const shard of this.#shards.values()) count += shard.groupCount;
    return count;
  }

  #shardOf(name: GroupName): GroupShard | CoordinatorError {
    const topic = offsetsTopic(this.#ports.image());
    if (topic === undefined) return "NOT_COORDINATOR";
    const shard = this.#shards.get(groupPartition(name, topic.partitions.length));
    return shard === undefined ? "NOT_COORDINATOR" : (shard.refusal() ?? shard);
  }

  /** A coordinator that may not answer just now still takes the sign of life: it may be back in a moment. */
  #noteAlive(name: GroupName, input: HeartbeatInput): void {
    const topic = offsetsTopic(this.#ports.image());
    const shard = topic && this.#shards.get(groupPartition(name, topic.partitions.length));
    shard?.find(name)?.classic.heartbeat(input, this.#ports.clock.monotonicMs());
  }

  /** May the tenant have no further group, of this name? */
  #isFull({ lkc, groupId }: GroupName): boolean {
    if (this.#usage.room(lkc) < emptyGroupBytes(groupId)) return true;
    if (this.groupCount < groupsPerTenantMax) return false;
    let count = 0;
    for (const shard of this.#shards.values()) for (const group of shard.groups()) if (group.lkc === lkc) count += 1;
    return count >= groupsPerTenantMax;
  }

  #wait<K extends Answer["kind"]>(
    at: { readonly shard: GroupShard; readonly group: CoordinatedGroup; readonly whenEnding: WhenEnding },
    onAbandoned: (error: CoordinatorError) => Extract<Answer, { kind: K }>,
    request: { readonly kind: K; readonly run: (ticket: WaitingRequest) => void },
  ): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve) => {
      let withdraw: (() => void) | undefined;
      let isSettled = false;
      const settle = (answer: Extract<Answer, { kind: K }>) => {
        isSettled = true;
        withdraw?.();
        resolve(answer);
      };
      const ticket: WaitingRequest = {
        answered: (answer) => settle(answer as Extract<Answer, { kind: K }>),
        abandoned: (error) => settle(onAbandoned(error)),
      };
      request.run(ticket);
      if (isSettled) return;
      withdraw = at.whenEnding(() => {
        at.shard.withdraw(at.group, ticket);
        settle(onAbandoned("COORDINATOR_NOT_AVAILABLE"));
      });
    });
  }

  async #ensureTopic(): Promise<void> {
    const result = await this.#ports.commands.submit({ kind: "ensure-internal-topics" }, ensureTopicMsMax);
    this.#ensuring = undefined;
    if (result.kind === "done" && result.reply.kind === "done") return;
    const why = result.kind === "done" && result.reply.kind === "failed" ? result.reply.message : result.kind;
    this.#ports.logger.warn("internal-topic-not-made", { why });
  }

  /** Takes away what belongs to tenants and topics that are gone. */
  #tidy(shard: GroupShard): void {
    const image = this.#ports.image();
    const lkcs = new Set<LogicalClusterId>();
    for (const { lkc } of shard.groups()) if (!image.logicalClusters.has(lkc)) lkcs.add(lkc);
    for (const lkc of lkcs) shard.removeTenant(lkc);
    shard.removeTopics({ has: (topicId) => !image.topics.has(topicId) });
  }

  #planExpiry(): void {
    this.#cancelExpiry = this.#ports.timers.after(this.#ports.expiry?.intervalMs ?? expiryIntervalMs, () => {
      void this.#expire().then(() => {
        if (!this.#stopped) this.#planExpiry();
      });
    });
  }

  async #expire(): Promise<void> {
    let looked = 0;
    for (const shard of [...this.#shards.values()]) {
      if (shard.refusal() !== undefined) continue;
      this.#tidy(shard);
      for (const group of [...shard.groups()]) {
        this.#expireGroup(shard, group);
        looked += group.offsets.count + 1;
        if (looked < expiryOffsetsPerTurn) continue;
        looked = 0;
        await new Promise<void>((resolve) => this.#ports.timers.afterTurn(resolve));
      }
    }
  }

  #expireGroup(shard: GroupShard, group: CoordinatedGroup): void {
    if (group.commitsUnderWay > 0 || group.isRemoved || shard.refusal() !== undefined) return;
    const image = this.#ports.image();
    const { classic, offsets, emptySinceMs } = group;
    // As in Kafka: while a group rebalances nobody knows what it will read.
    const names = classic.state === "Stable" ? classic.subscribedTopics() : undefined;
    const topics = image.topicsOf(group.lkc);
    const subscribed = names && new Set([...names].flatMap((name) => topics?.get(name)?.topicId ?? []));
    const retentionMs = this.#ports.expiry?.retentionMs ?? parseCellConfigs(image.cellConfigs).offsetsRetentionMs;
    const expired = expiredOffsets(
      { offsets, isEmpty: classic.isEmpty, emptySinceMs, subscribed },
      this.#ports.clock.wallMs(),
      retentionMs,
    );
    if (group.isIdle && expired.length === offsets.count) void shard.remove(group);
    else if (expired.length > 0) void shard.deleteOffsets(group, expired);
  }
}

function failedJoin(error: Exclude<ErrorName, "NONE">, memberId: string): JoinAnswer {
  return {
    kind: "join",
    ticket: noTicket,
    error,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: "",
    skipAssignment: false,
    members: [],
  };
}

function failedSync(error: Exclude<ErrorName, "NONE">): SyncAnswer {
  return { kind: "sync", ticket: noTicket, error, protocolType: null, protocolName: null, assignment: noBytes };
}

const noTicket = {};
const noBytes = Buffer.alloc(0);
