/**
 * One run: a cell under the workload, faults as the seed says, then everything heals and what was promised is judged.
 *
 *   start, topics ─▶ calm ─▶ faults ─▶ (only the store away) ─▶ heal ─▶ writable again? ─▶ quiet ─▶ read all, compare
 */

import { soundRules } from "../../broker/replication/replication-rules.ts";
import { internalLogicalCluster } from "../../shared/tenancy/logical-cluster-id.ts";
import { type NewestPartition, newestImage, partitionsOf, ReplicaViews } from "./cell/cell-views.ts";
import { compareGroups } from "./cell/compare-groups.ts";
import { compareReplicas } from "./cell/replica-reader.ts";
import { simulatedExpiry } from "./cell/simulated-broker.ts";
import { type CellMachine, SimulatedCell } from "./cell/simulated-cell.ts";
import { groupsStableMsMax } from "./checkers/group-progress.ts";
import { HighWatermarkViews } from "./checkers/high-watermark-views.ts";
import { LossWindows, unsyncedFaultyDiskMsMax, unsyncedMsMax } from "./checkers/loss-windows.ts";
import { ProgressChecker, writableAgainMsMax } from "./checkers/progress-checker.ts";
import { QuorumChecker } from "./checkers/quorum-checker.ts";
import { RecordLedger } from "./checkers/record-ledger.ts";
import { Nemesis } from "./faults/nemesis.ts";
import { drawPersonality, type Personality } from "./faults/personality.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { AdminClient } from "./workload/admin-client.ts";
import { FinalReader } from "./workload/final-reader.ts";
import { GroupWorkload } from "./workload/groups/group-workload.ts";
import type { TopicPartition } from "./workload/kafka-messages.ts";
import { simulatedLkc } from "./workload/kafka-server.ts";
import { createTopics, firstTopics, isCompactedTopic, isTrimmedTopic, producerKindOf } from "./workload/topics.ts";
import { Workload } from "./workload/workload.ts";
import type { Trace } from "./world/trace.ts";
import { World } from "./world/world.ts";

/** The first topics must be there by then. */
const startMsMax = 15_000;
const calmMs = 1_500;
/** Groups find their first members. */
const groupsSettleMs = 1_500;
/** Between two looks at all replicas from above. */
const lookMs = 10;
const settleMs = 8_000;
const storeAwayMs = 7_000;
/** Until everything under way has ended one way or the other, and until everything is read. */
const quietMsMax = 20_000;

export interface SimulationOptions {
  readonly seed: number;
  readonly mutation: Mutation | undefined;
  /** What kind of run, instead of what the seed would draw. */
  readonly schedule: Partial<Personality> | undefined;
  readonly trace: Trace;
  readonly stepsMax: number;
}

export class Simulation {
  readonly world: World;
  readonly personality: Personality;
  readonly ledger: RecordLedger;
  readonly #options: SimulationOptions;
  readonly #cell: SimulatedCell;
  readonly #losses = new LossWindows();
  readonly #highWatermarks: HighWatermarkViews;
  readonly #quorums: QuorumChecker;
  readonly #views: ReplicaViews;
  readonly #progress: ProgressChecker;
  readonly #workload: Workload;
  readonly #nemesis: Nemesis;
  readonly #admin: AdminClient;
  readonly #groups: GroupWorkload | undefined;
  /** Generations of the groups that were stable when the faults began. */
  #generations: ReadonlyMap<string, number> = new Map();
  #isLooking = true;
  /** As of the last look at a broker that served. */
  #partitions: readonly NewestPartition[] = [];

  constructor(options: SimulationOptions) {
    this.#options = options;
    const world = new World(options.seed, options.trace);
    this.world = world;
    const violate = (message: string): void => this.#violate(message);
    this.personality = drawPersonality(world.random.child("personality"), options.schedule);
    const { brokers, clients, batchIntervalMs } = this.personality;
    this.ledger = new RecordLedger({ nowMs: () => world.scheduler.nowMs, violate });
    this.#highWatermarks = new HighWatermarkViews(violate);
    this.#quorums = new QuorumChecker(violate, { ...soundRules, ...options.mutation?.rules });
    this.#progress = new ProgressChecker(this.ledger, violate);
    this.#cell = new SimulatedCell({
      world,
      brokers,
      mutation: options.mutation,
      violate,
      beforeDeath: () => this.#look(),
      onCommitted: (at) => this.#lookAt(at),
    });
    this.#views = new ReplicaViews(this.#losses, { ...soundRules, ...options.mutation?.rules });
    this.#workload = new Workload({
      world,
      ledger: this.ledger,
      highWatermarks: this.#highWatermarks,
      brokerMachines: this.#cell.machines.map(({ machine }) => machine.id),
      clients,
      batchIntervalMs,
      violate,
      kindOf: producerKindOf,
      isTrimmed: isTrimmedTopic,
      isCompacted: isCompactedTopic,
    });
    this.#nemesis = new Nemesis({
      world,
      cell: this.#cell,
      clients,
      personality: this.personality,
      onPowerLoss: (members) => this.#powerLost(members),
      onDiskGone: (member) => this.#diskGone(member),
      isAllDataThere: () => !this.#losses.hasSuspects && this.#partitions.every(({ lost }) => lost.length === 0),
    });
    this.#admin = new AdminClient({
      client: this.#client,
      ledger: this.ledger,
      onDeleteTopic: (topicId) => this.#workload.topicDeleted(topicId),
      meanGapMs: this.personality.adminGapMs,
    });
    this.#groups = this.#makeGroups();
  }

  #makeGroups(): GroupWorkload | undefined {
    const { groups, adminGapMs } = this.personality;
    if (groups === "none") return undefined;
    const workload = new GroupWorkload({
      world: this.world,
      brokerMachines: this.#cell.machines.map(({ machine }) => machine.id),
      violate: (message) => this.#violate(message),
      isSteady: groups === "steady",
      meanGapMs: adminGapMs,
      retentionMs: simulatedExpiry.retentionMs,
    });
    this.#cell.onCoordinatorLoaded = (partition, count) => workload.coordinatorLoaded(partition, count);
    return workload;
  }

  /** Runs to the end or to the first failure, which is then `world.scheduler.failure`. */
  async run(): Promise<void> {
    await this.#begin();
    await this.#advance(calmMs);
    this.#generations = this.#groups?.stableGenerations() ?? new Map();
    this.#nemesis.start();
    this.#admin.start();
    await this.#advance(this.personality.faultsMs);
    if (this.personality.groups === "steady") this.#groups?.judgeSteadiness(this.#generations);
    if (this.personality.hasStoreAwayAct) await this.#storeAway();
    await this.#recover();
    await this.#judge();
    const { coverage } = this.world;
    coverage.count("path: controller change", Math.max(0, coverage.of("broker: controller-elected") - 1));
  }

  /** For a debugger. */
  get cellForDebug(): SimulatedCell {
    return this.#cell;
  }

  get #client(): Workload["clients"][number] {
    const [client] = this.#workload.clients;
    if (client === undefined) throw new Error("a run needs a client");
    return client;
  }

  async #begin(): Promise<void> {
    const { scheduler } = this.world;
    this.#cell.startAll();
    let isReady = false;
    createTopics(this.#client, firstTopics(this.personality.brokers), () => {
      isReady = true;
    });
    await this.#until(() => isReady, startMsMax, "the first topics are made");
    await this.#beginGroups();
    this.#workload.start();
    const look = (): void => {
      this.#look();
      if (this.#isLooking) scheduler.after(lookMs, "look", look);
    };
    look();
  }

  async #beginGroups(): Promise<void> {
    if (this.#groups === undefined) return;
    let isReady = false;
    void this.#groups.prepare(this.#client).then(() => {
      isReady = true;
    });
    await this.#until(() => isReady, startMsMax, "the groups' coordinators can be found");
    this.#groups.start();
    await this.#advance(groupsSettleMs);
  }

  #look(): void {
    const image = newestImage(this.#cell);
    if (image !== undefined) this.#partitions = partitionsOf(image);
    const views = this.#views.look(this.#cell);
    for (const view of views) {
      this.#quorums.look(view);
      for (const leader of view.leaders) {
        const process = this.#cell.serving.find(({ broker }) => broker.id === leader.brokerId)?.process.name;
        if (process !== undefined) this.#cell.leaders.acts(view.partition, leader.epoch, process);
      }
    }
    for (const broker of this.#cell.serving) broker.watchLogs();
    const serving = this.#cell.serving.map(({ broker }) => broker.id);
    this.#losses.promoted(serving, this.#partitions);
  }

  /** Something was committed there just now. */
  #lookAt(at: TopicPartition): void {
    const view = this.#views.lookAt(this.#cell, at);
    if (view !== undefined) this.#quorums.look(view);
  }

  /** Nothing but the store fails, and writes go on. */
  async #storeAway(): Promise<void> {
    const { scheduler, itemFaults, coverage } = this.world;
    this.#nemesis.heal();
    this.#groups?.heal();
    this.#admin.stop();
    await this.#advance(settleMs + writableAgainMsMax);
    const awaySinceMs = scheduler.nowMs;
    itemFaults.mode = this.world.random.child("store-away").pick(["hanging", "down"]);
    coverage.count("act: only the store away");
    while (scheduler.nowMs < awaySinceMs + storeAwayMs && scheduler.failure === undefined && !this.#isOutOfSteps) {
      await this.#advance(250);
      this.#progress.goesOn(this.#writablePartitions(), scheduler.nowMs, awaySinceMs);
    }
    itemFaults.heal();
  }

  async #recover(): Promise<void> {
    this.#nemesis.heal();
    this.#groups?.heal();
    this.#admin.stop();
    const healedMs = this.world.scheduler.nowMs;
    await this.#advance(writableAgainMsMax);
    if (this.world.scheduler.failure !== undefined || this.#isOutOfSteps) return;
    this.#progress.writableSince(this.#writablePartitions(), healedMs);
    await this.#judgeGroups(healedMs);
  }

  async #judgeGroups(healedMs: number): Promise<void> {
    if (this.#groups === undefined) return;
    this.#workload.stopProducing();
    await this.#advance(groupsStableMsMax - writableAgainMsMax);
    if (this.world.scheduler.failure !== undefined || this.#isOutOfSteps) return;
    this.#groups.judgeProgress(healedMs);
    let isDone = false;
    void this.#groups.finish().then(() => {
      isDone = true;
    });
    await this.#until(() => isDone, quietMsMax, "all committed offsets are read");
  }

  /** Partitions that writes to must succeed when nothing is wrong. */
  #writablePartitions(): readonly string[] {
    return this.#producedPartitions()
      .filter(({ topicName }) => !topicName.startsWith("passing-"))
      .map(({ partition }) => partition);
  }

  /** Those that the workload writes to, and of which something is promised. */
  #producedPartitions(): readonly NewestPartition[] {
    return partitionsOf(newestImage(this.#cell)).filter(
      ({ partition, lkc }) => lkc === simulatedLkc && !this.ledger.isForfeit(partition),
    );
  }

  async #judge(): Promise<void> {
    this.#workload.stopProducing();
    await this.#until(() => this.#workload.pendingBatches === 0, quietMsMax, "every batch has an end");
    this.#workload.stopConsuming();
    const partitions = this.#producedPartitions();
    const reader = new FinalReader({
      client: this.#client,
      ledger: this.ledger,
      highWatermarks: this.#highWatermarks,
      partitions: partitions.map(({ topicId, topicName, record }) => ({
        topicId,
        partition: record.partition,
        isCompacted: isCompactedTopic(topicName),
      })),
      violate: (message) => this.#violate(message),
    });
    await this.#until(() => reader.waiting.length === 0, quietMsMax, "every partition is read");
    await this.#compareReplicas(partitions);
    this.#isLooking = false;
  }

  async #compareReplicas(partitions: readonly NewestPartition[]): Promise<void> {
    let isDone = false;
    const violate = (message: string): void => this.#violate(message);
    const image = newestImage(this.#cell);
    const internal = partitionsOf(image).filter(({ lkc }) => lkc === internalLogicalCluster);
    const isTenant = (lkc: string): boolean => image?.logicalClusters.has(lkc) === true;
    const comparing = compareReplicas(this.#cell, partitions, violate)
      .then(() => compareGroups(this.#cell, internal, { isTenant, violate }))
      .then(() => {
        isDone = true;
      });
    await this.#until(() => isDone, quietMsMax, "all replicas are compared");
    if (isDone) await comparing;
  }

  #powerLost(members: readonly CellMachine[]): void {
    const { scheduler } = this.world;
    const ids = members.flatMap((member) => member.brokerId ?? []);
    const isFaulty = members.some(
      ({ diskFaults }) => diskFaults.isFaulty || diskFaults.lastFaultMs > scheduler.nowMs - unsyncedFaultyDiskMsMax,
    );
    const sinceMs = scheduler.nowMs - (isFaulty ? unsyncedFaultyDiskMsMax : unsyncedMsMax);
    const lossy = this.#losses.powerLost(ids, this.#partitions);
    this.#groups?.permitLoss(
      this.#partitions.flatMap(({ partition, lkc, record }) =>
        lkc === internalLogicalCluster && lossy.includes(partition) ? [record.partition] : [],
      ),
    );
    for (const partition of lossy) {
      scheduler.note(`${partition} may lose what was committed since ${sinceMs}`);
      this.ledger.permitLoss(partition, sinceMs);
      this.#highWatermarks.permitLoss(partition);
      this.#quorums.permitLoss(partition);
      this.#workload.permitLoss(partition);
    }
  }

  #diskGone(member: CellMachine): void {
    const id = member.brokerId;
    if (id === undefined) return;
    this.#losses.diskGone(id);
    for (const { partition, voters } of this.#partitions) {
      if (voters.every((voter) => this.#losses.isSuspect(voter))) this.ledger.forfeit(partition);
    }
  }

  get #isOutOfSteps(): boolean {
    return this.world.scheduler.steps >= this.#options.stepsMax;
  }

  async #advance(ms: number): Promise<void> {
    await this.world.scheduler.runUntil(this.world.scheduler.nowMs + ms, this.#options.stepsMax);
  }

  async #until(condition: () => boolean, msMax: number, what: string): Promise<void> {
    const { scheduler } = this.world;
    const deadlineMs = scheduler.nowMs + msMax;
    while (!condition()) {
      if (scheduler.failure !== undefined || this.#isOutOfSteps) return;
      if (scheduler.nowMs >= deadlineMs) return this.#violate(`it took over ${msMax} ms until ${what}`);
      await this.#advance(50);
    }
  }

  #violate(message: string): void {
    this.world.scheduler.fail(new Error(message));
  }
}
