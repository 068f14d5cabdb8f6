import type { ErrorName } from "../../shared/kafka/error-codes.ts";
import type { LeaderEpoch, LogicalClusterId, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { HostedPartition } from "../partition/partition-contract.ts";
import { CoordinatedGroup, groupName } from "./coordinated-group.ts";
import { type CoordinatorError, coordinatorError } from "./coordinator-errors.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { ClassicGroup } from "./group/classic-group.ts";
import type { Answer, Effects, GroupConfig, GroupWrite } from "./group/group-contract.ts";
import { encodeGroupValue } from "./group/group-value.ts";
import type { GroupName } from "./group-requests.ts";
import { tickMsMin, tombstonesPerAppend } from "./limits.ts";
import type { CommittedOffset } from "./offsets/group-offsets.ts";
import { encodeKey } from "./records/coordinator-key.ts";
import { encodeOffsetValue } from "./records/offset-value.ts";
import { loadShard } from "./shard-loader.ts";
import { type CoordinatorRecord, ShardLog } from "./shard-log.ts";
import type { StateUsage } from "./state-usage.ts";

/** Something worth counting. */
export type CoordinatorEvent = "coordinator-loaded" | "coordinator-not-loaded";

export interface ShardPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Of all shards of the broker. */
  readonly usage: StateUsage;
  /** The cell's configuration as it is now. */
  groupConfig(): GroupConfig;
  onEvent(event: CoordinatorEvent, tookMs?: number): void;
  /** The shard answers from now on. */
  onLoaded(shard: GroupShard): void;
}

/** A request that waits for its group. */
export interface WaitingRequest {
  answered(answer: Answer): void;
  /** The coordinator is another one now. */
  abandoned(error: CoordinatorError): void;
}

/**
 * The groups of one internal partition, for as long as this broker leads it in one epoch.
 *
 *   loading -- read up to the log end at the election --> ready
 *      |  \-- a record that cannot be understood --> failed       |
 *      +------------- the leadership ends: from every state ------+--> ended
 *
 * In memory is what is committed, and what a group's members were told or wait for; what a client is told about stored
 * state is told after its commit.
 */
export class GroupShard {
  readonly partition: HostedPartition;
  readonly epoch: LeaderEpoch;
  readonly #ports: ShardPorts;
  readonly #log: ShardLog;
  #status: "loading" | "ready" | "failed" | "ended" = "loading";
  readonly #groups = new Map<string, CoordinatedGroup>();
  readonly #deadlines = new DeadlineQueue<CoordinatedGroup>();
  readonly #waiting = new Set<WaitingRequest>();
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #cancelWake: CancelTimer | undefined;

  constructor(partition: HostedPartition, epoch: LeaderEpoch, ports: ShardPorts) {
    this.partition = partition;
    this.epoch = epoch;
    this.#ports = ports;
    this.#log = new ShardLog(partition, epoch, ports);
  }

  async load(): Promise<void> {
    const { clock, timers, logger } = this.#ports;
    const startedMs = clock.monotonicMs();
    try {
      const loaded = await loadShard(this.partition, this.epoch, timers);
      if (loaded === undefined || this.#status !== "loading") return;
      for (const group of loaded.finish(this.#ports.groupConfig(), clock.monotonicMs())) this.#add(group);
      this.#status = "ready";
    } catch (error) {
      if (this.#status === "ended") return;
      this.#status = "failed";
      logger.error("coordinator-not-loaded", { partition: this.partition.partition, error: String(error) });
      this.#ports.onEvent("coordinator-not-loaded");
      return;
    }
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info("coordinator-loaded", { partition: this.partition.partition, groups: this.#groups.size, tookMs });
    this.#ports.onEvent("coordinator-loaded", tookMs);
    this.#ports.onLoaded(this);
    for (const group of this.#groups.values()) this.#watch(group);
  }

  /** The leadership is over: everything is forgotten, whoever waits is told to look for the new coordinator. */
  end(): void {
    this.#status = "ended";
    this.#cancelWake?.();
    this.#log.end();
    for (const request of this.#waiting) request.abandoned("NOT_COORDINATOR");
    this.#waiting.clear();
    for (const group of this.#groups.values()) this.#uncount(group);
    this.#groups.clear();
  }

  /** Why it may not answer now; undefined when it may. Reads need the lease too: a deposed coordinator has old state. */
  refusal(): CoordinatorError | undefined {
    if (this.#status === "ended" || this.partition.leaderEpoch !== this.epoch) return "NOT_COORDINATOR";
    if (this.#status === "failed") return "COORDINATOR_NOT_AVAILABLE";
    if (this.#status === "loading") return "COORDINATOR_LOAD_IN_PROGRESS";
    const offsets = this.partition.offsets(this.epoch);
    return "kind" in offsets ? coordinatorError(offsets.error) : undefined;
  }

  get isLoading(): boolean {
    return this.#status === "loading";
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  groups(): Iterable<CoordinatedGroup> {
    return this.#groups.values();
  }

  find({ lkc, groupId }: GroupName): CoordinatedGroup | undefined {
    return this.#groups.get(groupName(lkc, groupId));
  }

  findOrMake(name: GroupName): CoordinatedGroup {
    const present = this.find(name);
    if (present !== undefined) return present;
    const classic = new ClassicGroup(name.groupId, this.#ports.groupConfig(), this.#ports.clock.monotonicMs());
    return this.#add(new CoordinatedGroup(name, classic));
  }

  reconfigure(config: GroupConfig): void {
    for (const { classic } of this.#groups.values()) classic.reconfigure(config);
  }

  /** Has the group take in a request that is answered later, and does what follows. */
  enqueue(
    group: CoordinatedGroup,
    request: WaitingRequest,
    run: (classic: ClassicGroup, nowMs: number) => Effects,
  ): void {
    this.#waiting.add(request);
    this.act(group, run);
  }

  /** Has the group take in something, and does what follows from it. */
  act(group: CoordinatedGroup, run: (classic: ClassicGroup, nowMs: number) => Effects): void {
    this.#carryOut(group, run(group.classic, this.#ports.clock.monotonicMs()));
    this.#watch(group);
  }

  /** The request's client is gone. */
  withdraw(group: CoordinatedGroup, request: WaitingRequest): void {
    if (this.#waiting.delete(request)) this.act(group, (classic, nowMs) => classic.withdraw(request, nowMs));
  }

  /** POLICY_VIOLATION: the tenant has no room for it. */
  commit(group: CoordinatedGroup, offsets: readonly CommittedOffset[], answer: (error: ErrorName) => void): void {
    const growth = Math.max(group.offsets.growth(offsets), 0);
    if (growth > Math.max(this.#ports.usage.room(group.lkc), 0)) {
      answer("POLICY_VIOLATION");
      return;
    }
    const records = offsets.map(({ topicId, partition, value }) => ({
      key: encodeKey({ kind: "offset", lkc: group.lkc, groupId: group.groupId, topicId, partition }),
      value: encodeOffsetValue(value),
    }));
    group.commitsUnderWay += 1;
    group.growthUnderWayBytes += growth;
    this.#count(group);
    this.#log.append({
      records,
      committed: () => {
        for (const { topicId, partition, value } of offsets) group.offsets.set(topicId, partition, value);
      },
      answer: (error) => answer(error ?? "NONE"),
      settled: () => {
        group.commitsUnderWay -= 1;
        group.growthUnderWayBytes -= growth;
        this.#count(group);
        if (group.isForsaken && group.commitsUnderWay === 0) void this.remove(group);
      },
    });
  }

  /** Takes offsets away; answers when that is committed. */
  deleteOffsets(group: CoordinatedGroup, offsets: readonly CommittedOffset[]): Promise<ErrorName> {
    const changes: Promise<ErrorName>[] = [];
    for (let first = 0; first < offsets.length; first += tombstonesPerAppend) {
      const piece = offsets.slice(first, first + tombstonesPerAppend);
      const records = piece.map(({ topicId, partition }) => ({
        key: encodeKey({ kind: "offset", lkc: group.lkc, groupId: group.groupId, topicId, partition }),
        value: null,
      }));
      changes.push(
        this.#append(records, () => {
          for (const { topicId, partition } of piece) group.offsets.delete(topicId, partition);
          this.#count(group);
        }),
      );
    }
    return firstError(changes);
  }

  /**
   * Takes the whole group away. Until that is committed it is there, and so are its offsets: a successor may find them again.
   * Whoever would change it meanwhile is to ask again (`isRemoved`).
   */
  async remove(group: CoordinatedGroup): Promise<ErrorName> {
    group.isRemoved = true;
    this.#deadlines.forget(group);
    const changes = [this.deleteOffsets(group, [...group.offsets.all()])];
    if (group.isStored) {
      const key = encodeKey({ kind: "group", lkc: group.lkc, groupId: group.groupId });
      changes.push(this.#append([{ key, value: null }], () => undefined));
    }
    const error = await firstError(changes);
    if (this.#status !== "ready") return error;
    if (error === "NONE") {
      this.#groups.delete(groupName(group.lkc, group.groupId));
      this.#uncount(group);
    } else {
      group.isRemoved = false;
      this.#watch(group);
    }
    return error;
  }

  removeTenant(lkc: LogicalClusterId): void {
    for (const group of [...this.#groups.values()]) {
      if (group.lkc !== lkc || group.isRemoved) continue;
      this.#carryOut(group, group.classic.die("GROUP_AUTHORIZATION_FAILED"));
      if (group.commitsUnderWay > 0) group.isForsaken = true;
      else void this.remove(group);
    }
  }

  /** Topics are gone, and with them what was committed for them. A look at every group for all of them, not for each. */
  removeTopics(topics: { has(topicId: TopicId): boolean }): void {
    for (const group of this.#groups.values()) {
      // It goes as a whole.
      if (group.isRemoved || group.isForsaken) continue;
      const offsets = [...group.offsets.topicIds()].flatMap((topicId) =>
        topics.has(topicId)
          ? [...group.offsets.ofTopic(topicId)].map(([partition, value]) => ({ topicId, partition, value }))
          : [],
      );
      if (offsets.length > 0) void this.deleteOffsets(group, offsets);
    }
  }

  #add(group: CoordinatedGroup): CoordinatedGroup {
    this.#groups.set(groupName(group.lkc, group.groupId), group);
    group.countedBytes = 0;
    this.#count(group);
    return group;
  }

  /** After whatever may have changed its size. */
  #count(group: CoordinatedGroup): void {
    const { lkc, stateBytes, countedBytes } = group;
    if (countedBytes === undefined || countedBytes === stateBytes) return;
    group.countedBytes = stateBytes;
    this.#ports.usage.change(lkc, stateBytes - countedBytes);
  }

  /** It is not held here any more. */
  #uncount(group: CoordinatedGroup): void {
    this.#ports.usage.change(group.lkc, -(group.countedBytes ?? 0));
    group.countedBytes = undefined;
  }

  #append(records: readonly CoordinatorRecord[], committed: () => void): Promise<ErrorName> {
    return new Promise((resolve) => {
      this.#log.append({ records, committed, answer: (error) => resolve(error ?? "NONE") });
    });
  }

  #carryOut(group: CoordinatedGroup, effects: Effects): void {
    this.#count(group);
    if (effects.write !== undefined) this.#store(group, effects.write);
    for (const answer of effects.answers) {
      const request = answer.ticket as WaitingRequest;
      // One that was withdrawn or abandoned has had its end.
      if (this.#waiting.delete(request)) request.answered(answer);
    }
  }

  #store(group: CoordinatedGroup, { value, token }: GroupWrite): void {
    const stateTimestampMs = this.#ports.clock.wallMs();
    const isEmpty = value.members.length === 0;
    const key = encodeKey({ kind: "group", lkc: group.lkc, groupId: group.groupId });
    group.isStored = true;
    group.emptySinceMs = isEmpty ? stateTimestampMs : undefined;
    this.#log.append({
      records: [{ key, value: encodeGroupValue({ ...value, stateTimestampMs }) }],
      committed: () => undefined,
      answer: (error) => {
        if (this.#status === "ended") return;
        this.act(group, (classic, nowMs) =>
          error === undefined ? classic.written(token, nowMs) : classic.writeFailed(token, error, nowMs),
        );
      },
    });
  }

  #watch(group: CoordinatedGroup): void {
    if (group.isRemoved || this.#status !== "ready") return;
    this.#deadlines.schedule(group, group.classic.nextDeadlineMs());
    this.#planWake();
  }

  #planWake(): void {
    const nextMs = this.#deadlines.nextMs;
    if (nextMs >= this.#wakeAtMs || nextMs === Number.POSITIVE_INFINITY) return;
    this.#cancelWake?.();
    this.#wakeAtMs = nextMs;
    const waitMs = Math.max(tickMsMin, nextMs - this.#ports.clock.monotonicMs());
    this.#cancelWake = this.#ports.timers.after(waitMs, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#cancelWake = undefined;
    if (this.#status !== "ready") return;
    const nowMs = this.#ports.clock.monotonicMs();
    for (let group = this.#deadlines.takeDue(nowMs); group !== undefined; group = this.#deadlines.takeDue(nowMs)) {
      // While nobody may be answered, nobody is judged for being silent either: its heartbeats went unanswered.
      if (this.refusal() === undefined) this.act(group, (classic) => classic.tick(nowMs));
      else this.#deadlines.schedule(group, nowMs + tickMsMin);
    }
    this.#planWake();
  }
}

async function firstError(changes: readonly Promise<ErrorName>[]): Promise<ErrorName> {
  return (await Promise.all(changes)).find((error) => error !== "NONE") ?? "NONE";
}
