/** Groups of two tenants, under the same names: members that come, crash, hang and leave, and auditors beside them. */
import { groupPartition } from "../../../../broker/coordinator/internal-partition.ts";
import { readLeaseMs } from "../../../../broker/partition/limits.ts";
import { createTopics } from "../../../../shared/kafka/schema/create-topics.ts";
import { GroupGenerations } from "../../checkers/group-generations.ts";
import { type GroupView, judgeGroups } from "../../checkers/group-progress.ts";
import { OffsetLifetimes } from "../../checkers/offset-lifetimes.ts";
import { OffsetRegisters } from "../../checkers/offset-registers.ts";
import { blockLink } from "../../faults/network-faults.ts";
import type { SeededRandom } from "../../world/seeded-random.ts";
import type { SimProcess } from "../../world/sim-process.ts";
import type { World } from "../../world/world.ts";
import type { KafkaClient } from "../kafka-client.ts";
import { type AdminRequest, simulatedLkc } from "../kafka-server.ts";
import { Auditor } from "./auditor.ts";
import { DoomedTenant } from "./doomed-tenant.ts";
import { GroupLink } from "./group-link.ts";
import {
  doomedLkc,
  doomedMachine,
  firstAuditorMachine,
  type GroupTopic,
  groupCellConfigs,
  groupKey,
  mark,
  narrowingGroupId,
  otherLkc,
  ownerOf,
  type PlannedGroup,
  type PlannedMember,
  planGroups,
  sharedTopicName,
  simpleGroupId,
} from "./group-plan.ts";
import { GroupMember } from "./member.ts";
import type { GroupCheckers } from "./offset-client.ts";
import { describedTopics } from "./tenant-topics.ts";

/** A read is as old as the lease, and as what lies between two looks at the clock. */
const staleMsMax = readLeaseMs + 50;
const retryMs = 200;
/** Clocks of brokers run at different rates: what they differed by was a little more, or less, than it is. */
const driftMsMax = 1_000;
/** How late a coordinator that is well may look for what is due: its interval, a failover, an append. */
const expirySlackMs = 2_000;
/** A member's session is as long on its coordinator's clock, and begins anew after a failover. */
const evictionShare = 0.97;
/** When the doomed tenant goes, from the begin of the groups; faults come for eight seconds at least. */
const doomFromMs = 3_000;
const doomToMs = 9_000;
/** Some of what it still sends comes to brokers that do not know of its end yet. */
const afterlifeMs = 1_500;
const topicNames: Readonly<Record<string, readonly string[]>> = {
  [simulatedLkc]: [sharedTopicName, "wide"],
  [otherLkc]: [sharedTopicName],
  [doomedLkc]: [sharedTopicName],
};

export interface GroupWorkloadOptions {
  readonly world: World;
  readonly brokerMachines: readonly number[];
  readonly violate: (message: string) => void;
  /** Members neither crash nor leave: only coordinators fail. */
  readonly isSteady: boolean;
  readonly meanGapMs: number;
  /** Retention of offsets, at all brokers. */
  readonly retentionMs: number;
}

/** The place of one member: its machine, and whoever runs there. */
interface Seat {
  readonly group: PlannedGroup;
  readonly planned: PlannedMember;
  process: SimProcess | undefined;
  member: GroupMember | undefined;
}

export class GroupWorkload {
  readonly #options: GroupWorkloadOptions;
  readonly #random: SeededRandom;
  readonly #checkers: GroupCheckers;
  readonly #groups: readonly PlannedGroup[];
  readonly #seats: readonly Seat[];
  readonly #auditors: Auditor[] = [];
  readonly #topics = new Map<string, readonly GroupTopic[]>();
  readonly #active = new Set<() => void>();
  /** Internal partitions to which deletions were written. */
  readonly #tombstones = new Set<number>();
  #isStopped = false;
  #doomed: DoomedTenant | undefined;
  /** Makes changes of tenants. */
  #client: KafkaClient | undefined;

  constructor(options: GroupWorkloadOptions) {
    const { world, violate, isSteady, retentionMs } = options;
    this.#options = options;
    this.#random = world.random.child("groups");
    const nowMs = (): number => world.scheduler.nowMs;
    const count = (name: string): void => world.coverage.count(name);
    const lifetimes = new OffsetLifetimes({ nowMs, retentionMs, skewMs: () => this.#skewMs() });
    this.#checkers = {
      registers: new OffsetRegisters({
        nowMs,
        violate,
        leaseMs: staleMsMax,
        dueMs: (key, committedMs) => lifetimes.dueMs(key, committedMs),
        onExpired: (key) => {
          count("group: offset expired");
          const [lkc, groupId, topicId = ""] = key.split("/");
          if (this.#isGivenUp(`${lkc}/${groupId}`, topicId)) count("group: offset of a topic given up expired");
        },
      }),
      lifetimes,
      generations: new GroupGenerations({ nowMs, violate, count, ownerOf }),
      nowMs,
      violate,
      count,
    };
    this.#groups = planGroups(this.#random, isSteady);
    for (const { lkc, groupId, sessionTimeoutMs, rebalanceTimeoutMs } of this.#groups) {
      const evictionMs = Math.min(sessionTimeoutMs, rebalanceTimeoutMs) * evictionShare - staleMsMax;
      lifetimes.hasMembers(groupKey(lkc, groupId), { evictionMs });
    }
    this.#seats = this.#groups.flatMap((group) =>
      group.members.map((planned) => ({ group, planned, process: undefined, member: undefined })),
    );
  }

  /** Makes the other tenant and what both need; to be called once the first tenant's topics are there. */
  async prepare(client: KafkaClient): Promise<void> {
    this.#client = client;
    await this.#change(client, { kind: "ensure-logical-cluster", lkc: otherLkc });
    await this.#change(client, { kind: "ensure-logical-cluster", lkc: doomedLkc });
    await this.#change(client, { kind: "set-cell-configs", configs: groupCellConfigs });
    await this.#makeTopics(client.process);
  }

  start(): void {
    for (const seat of this.#seats) this.#sit(seat);
    for (const [index, lkc] of [simulatedLkc, otherLkc, simulatedLkc].entries()) this.#audit(lkc, index);
    if (!this.#options.isSteady) this.#planTrouble();
    this.#beginDoomed();
  }

  /** No trouble any more; every member runs. */
  heal(): void {
    this.#isStopped = true;
    for (const undo of [...this.#active]) undo();
    for (const seat of this.#seats) {
      this.#sit(seat);
      if (seat.group.groupId === narrowingGroupId) seat.member?.narrow();
    }
    for (const auditor of this.#auditors) auditor.letFade();
  }

  /** What was committed to these internal partitions may be lost. */
  permitLoss(partitions: readonly number[]): void {
    const isLost = (lkc: string, groupId: string): boolean =>
      partitions.includes(groupPartition({ lkc, groupId }, partitionCount));
    this.#checkers.registers.permitLoss((key) => {
      const [lkc = "", groupId = ""] = key.split("/");
      return isLost(lkc, groupId);
    });
    this.#checkers.generations.permitLoss((name) => {
      const [lkc = "", groupId = ""] = name.split("/");
      if (isLost(lkc, groupId)) this.#checkers.lifetimes.mayBeGone(name);
      return isLost(lkc, groupId);
    });
  }

  /** The coordinator of these groups was loaded anew. */
  coordinatorLoaded(partition: number, groups: number): void {
    const { count } = this.#checkers;
    if (groups > 0) count("group: coordinator loaded with groups");
    if (this.#tombstones.has(partition)) count("group: coordinator loaded tombstones");
  }

  /** What is not as it must be some time after everything healed. */
  judgeProgress(healedMs: number): void {
    judgeGroups(this.#views(), healedMs, this.#checkers.violate);
    const behind = this.#auditors.filter(({ committedMs }) => committedMs < healedMs);
    if (behind.length > 0) this.#checkers.violate(`no commit by hand was accepted since ${healedMs}`);
  }

  /** The generations of groups that are stable now, to be compared later. */
  stableGenerations(): ReadonlyMap<string, number> {
    for (const { member } of this.#seats) member?.takeLongestSilenceMs();
    return new Map(
      this.#views().flatMap(({ name, stable }) => (stable === undefined ? [] : [[name, stable] as const])),
    );
  }

  /** Only coordinators failed since: a group whose members were all heard of in time has not rebalanced. */
  judgeSteadiness(before: ReadonlyMap<string, number>): void {
    const { violate, count } = this.#checkers;
    for (const group of this.#groups) {
      const name = groupKey(group.lkc, group.groupId);
      const generation = before.get(name);
      const members = this.#seats.filter((seat) => seat.group === group).flatMap(({ member }) => member ?? []);
      const silentMs = Math.max(...members.map((member) => member.takeLongestSilenceMs()));
      if (generation === undefined || silentMs > group.sessionTimeoutMs * 0.85) continue;
      const now = new Set(members.map((member) => member.stableGeneration));
      if (now.size !== 1 || !now.has(generation)) {
        const told = [...now].map((one) => one ?? "none").join();
        violate(
          `${name} went from generation ${generation} to ${told}, though nobody was silent for over ${silentMs} ms`,
        );
      } else if (silentMs > 600) count("group: failover without a rebalance");
    }
  }

  /** Ends all members once everything that was committed is read again. */
  async finish(): Promise<void> {
    for (const auditor of this.#auditors) auditor.stop();
    const sinceMs = this.#checkers.nowMs();
    await Promise.all(this.#auditors.map((auditor) => auditor.readAll()));
    this.#judgeExpiry(sinceMs);
    for (const { planned } of this.#seats) this.#options.world.machine(planned.machineId).kill();
  }

  /** Old offsets that nobody reads are gone by now; `sinceMs`: when everything began to be read. */
  #judgeExpiry(sinceMs: number): void {
    const { registers, lifetimes, violate } = this.#checkers;
    const goneBeforeMs = (key: string) =>
      lifetimes.goneBeforeMs(key, (name, topicId) => this.#isGivenUp(name, topicId), expirySlackMs);
    for (const key of registers.stillCommitted(sinceMs, goneBeforeMs))
      violate(`${key} is still committed, though nobody has read it or committed to it for longer than its retention`);
  }

  /** Has every member of the group given the topic up? */
  #isGivenUp(name: string, topicId: string): boolean {
    const [lkc = "", groupId = ""] = name.split("/");
    return groupId === narrowingGroupId && this.#topics.get(lkc)?.[0]?.topicId !== topicId;
  }

  /** By how much the wall clocks of brokers differ; infinite when one was set. */
  #skewMs(): number {
    const { world, brokerMachines } = this.#options;
    if (world.coverage.of("fault: clock-jump") > 0) return Number.POSITIVE_INFINITY;
    const walls = brokerMachines.map((id) => world.machine(id).clock.wallMs());
    return Math.max(...walls) - Math.min(...walls) + driftMsMax;
  }

  #beginDoomed(): void {
    const { world } = this.#options;
    const [topic] = this.#topics.get(doomedLkc) ?? [];
    if (topic === undefined) throw new Error("the doomed tenant has no topic");
    const process = world.machine(doomedMachine).start(() => undefined);
    const link = this.#link(process, doomedLkc, "doomed");
    const doomed = new DoomedTenant({ link, topic, groupIds: ["readers", simpleGroupId, narrowingGroupId] });
    this.#doomed = doomed;
    void doomed.run();
    world.scheduler.after(this.#random.between(doomFromMs, doomToMs), "a tenant is deleted", () => void this.#doom());
  }

  async #doom(): Promise<void> {
    const { world } = this.#options;
    const doomed = this.#doomed;
    if (this.#client === undefined || doomed === undefined) throw new Error("a tenant is doomed once it was made");
    await this.#change(this.#client, { kind: "delete-logical-cluster", lkc: doomedLkc });
    if (doomed.committed > 0 && doomed.hasJoined) this.#checkers.count("group: tenant deleted");
    world.scheduler.after(afterlifeMs, "a deleted tenant falls silent", () => {
      doomed.stop();
      world.machine(doomedMachine).kill();
    });
  }

  #views(): readonly GroupView[] {
    return this.#groups.map((group) => {
      const members = this.#seats.filter((seat) => seat.group === group).flatMap(({ member }) => member ?? []);
      const generations = new Set(members.map((member) => member.stableGeneration));
      const [only] = generations;
      return {
        name: groupKey(group.lkc, group.groupId),
        stable: generations.size === 1 ? only : undefined,
        aliveMs: Math.min(...members.map((member) => member.aliveMs)),
        committedMs: Math.max(...members.map((member) => member.committedMs)),
        what: members.map((member) => `${member.memberId}: ${member.stableGeneration ?? "-"}`).join(", "),
      };
    });
  }

  /** Until it is done. */
  #change(client: KafkaClient, request: AdminRequest): Promise<void> {
    return new Promise((resolve) => {
      const attempt = (): void =>
        client.requestAny(request, (response) => {
          if (response.kind === "done") resolve();
          else client.process.timers.after(retryMs, attempt);
        });
      attempt();
    });
  }

  async #makeTopics(process: SimProcess): Promise<void> {
    for (const [lkc, names] of Object.entries(topicNames)) {
      const link = this.#link(process, lkc, "admin");
      for (;;) {
        if (lkc !== simulatedLkc) {
          const topics = names.map((name) => ({
            name,
            numPartitions: 2,
            replicationFactor: 3,
            assignments: [],
            configs: [],
          }));
          await link.askAny(createTopics, 7, { topics, timeoutMs: 3_000 });
        }
        const topics = await describedTopics(link, names);
        this.#topics.set(lkc, topics ?? []);
        if (topics?.length === names.length) break;
        await link.pause(retryMs);
      }
      while ((await link.coordinatorOf(simpleGroupId)) === undefined) await link.pause(retryMs);
    }
  }

  #link(process: SimProcess, lkc: string, clientId: string): GroupLink {
    const { world, brokerMachines } = this.#options;
    return new GroupLink({ network: world.network, process, lkc, clientId, brokerMachines });
  }

  #audit(lkc: string, index: number): void {
    const { world } = this.#options;
    const process = world.machine(firstAuditorMachine + index).start(() => undefined);
    const auditor = new Auditor({
      link: this.#link(process, lkc, `auditor${index}`),
      groupIds: this.#groups.filter((group) => group.lkc === lkc).map(({ groupId }) => groupId),
      topics: this.#topics.get(lkc) ?? [],
      checkers: this.#checkers,
      hasFleetingTopic: lkc === otherLkc,
      onDeleted: (groupId) => this.#tombstones.add(groupPartition({ lkc, groupId }, partitionCount)),
    });
    this.#auditors.push(auditor);
    void auditor.run();
  }

  /** Has a member run on the seat's machine, unless one does. */
  #sit(seat: Seat): void {
    if (seat.process !== undefined) return;
    const { group, planned } = seat;
    const machine = this.#options.world.machine(planned.machineId);
    seat.process = machine.start((process) => {
      const member = new GroupMember({
        link: this.#link(process, group.lkc, `${mark(group.lkc, group.groupId)}dynamic`),
        group,
        member: planned,
        topics: this.#topics.get(group.lkc) ?? [],
        checkers: this.#checkers,
        isNarrow: this.#isStopped && group.groupId === narrowingGroupId,
      });
      seat.member = member;
      void member.run().then(() => this.#rise(seat, process));
    });
  }

  #rise(seat: Seat, process: SimProcess): void {
    if (seat.process !== process) return;
    this.#options.world.machine(seat.planned.machineId).kill();
    seat.process = undefined;
    seat.member = undefined;
    if (this.#isStopped) this.#sit(seat);
  }

  #planTrouble(): void {
    const { world, meanGapMs } = this.#options;
    world.scheduler.after(this.#random.exponential(meanGapMs), "group trouble", () => {
      if (this.#isStopped) return;
      this.#trouble(this.#random.pick(this.#seats));
      this.#planTrouble();
    });
  }

  #trouble(seat: Seat): void {
    const { world, brokerMachines } = this.#options;
    const { process, member } = seat;
    if (process === undefined || member === undefined || process.state !== "running") return;
    const kind = this.#random.weighted({ crash: 3, pause: 3, leave: 2, "change-mind": 2, "cut-off": 1 });
    world.coverage.count(`member: ${kind}`);
    world.scheduler.note(`TROUBLE ${kind} of ${process.name}`);
    switch (kind) {
      case "crash":
        this.#rise(seat, process);
        return this.#later(200, 4_000, () => this.#sit(seat));
      case "leave":
        member.leave();
        return this.#later(500, 5_000, () => this.#sit(seat));
      case "change-mind":
        if (seat.group.groupId === narrowingGroupId && this.#random.chance(0.5)) return member.narrow();
        return member.changeMind();
      case "pause":
        process.pause();
        return this.#later(200, 6_000, () => process.resume(this.#random.chance(0.5)));
      case "cut-off": {
        const { machineId } = seat.planned;
        const both = brokerMachines.flatMap((broker) => [[machineId, broker] as const, [broker, machineId] as const]);
        return this.#later(200, 4_000, blockLink(world.network, both));
      }
    }
  }

  #later(lowMs: number, highMs: number, undo: () => void): void {
    const run = (): void => {
      if (this.#active.delete(run)) undo();
    };
    this.#active.add(run);
    this.#options.world.scheduler.after(this.#random.between(lowMs, highMs), "group trouble ends", run);
  }
}

const partitionCount = Number(groupCellConfigs["offsets.topic.num.partitions"]);
