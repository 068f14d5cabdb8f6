import type { MetadataDelta, MetadataImage } from "../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, PartitionState, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { ReplicaReport } from "../partition/replica-context.ts";
import type { PeerLinks } from "../peer/peer-links.ts";
import type { ReplicationRules } from "../replication/replication-rules.ts";
import { type CandidacyView, isControllerMissing, shouldStand } from "./candidacy-core.ts";
import { CellView } from "./cell-view.ts";
import { isElectable, isRecoverable, needsElection, type PartitionKey, partitionsUpserted } from "./election-core.ts";
import { type ElectionOrder, ElectionRound, type SealCaller } from "./election-round.ts";
import {
  candidacyBackoffMsMax,
  candidacyCalmMs,
  controllerTickMs,
  electionBatchMax,
  electionRetryMsMax,
  electionRetryMsMin,
  maintenanceIntervalMs,
  preferredLeaderAfterMs,
  preferredLeaderBatchMax,
  preferredLeaderIntervalMs,
  recoveryWaitMs,
  reportsMax,
} from "./limits.ts";
import type { MetadataAccess } from "./metadata-access.ts";

export interface ControllerPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly rules: ReplicationRules;
  readonly links: PeerLinks;
  readonly metadata: MetadataAccess;
  /** Seals replicas on a broker, this one included. */
  readonly sealer: SealCaller;
  /** Asks a leader to stop appending until the target holds all it has; answers which partitions are ready. */
  handOver(leader: BrokerId, orders: readonly HandOverOrder[]): Promise<readonly PartitionKey[]>;
  /** The local cloud recovers by itself to the highest rank when no majority survived (DESIGN section 5, Survival). */
  readonly recoverWithoutMajority: boolean;
  /** `failoverMs`: from the first look that found the leaders missing to their successors in the log. */
  onEvent(event: "controller-elected" | "leader-elected" | "recovered", count: number, failoverMs?: number): void;
}

export interface HandOverOrder extends PartitionKey {
  readonly partitionEpoch: number;
  readonly target: BrokerId;
}

interface Attempt {
  nextMs: number;
  waitMs: number;
  /** Since when it is needed without a break; undefined while it is not. */
  neededSinceMs: number | undefined;
}

/**
 * One broker of the cell is its controller: the one named by the newest ControllerElected. This object runs on every
 * broker; out of office it only watches whether a controller is missing.
 *
 *   watching --missing, store reachable, my turn, append ControllerElected--> in office
 *   in office --a newer ControllerElected in the log--> watching
 *
 * All that it decides goes through the metadata log, so two that believe themselves in office do no harm.
 */
export class Controller {
  readonly view: CellView;
  readonly #ports: ControllerPorts;
  /** Epoch that this process won; undefined while it is not in office. */
  #epoch: number | undefined;
  #startedMs = 0;
  #missingSinceMs: number | undefined;
  #storeLostSinceMs: number | undefined;
  #standing = false;
  #backoffMs = 0;
  #lastOfficeChangeMs = Number.NEGATIVE_INFINITY;
  readonly #reports = new Map<string, ReplicaReport>();
  readonly #attempts = new Map<string, Attempt>();
  #scanAll = true;
  #round: Promise<void> | undefined;
  #nextPreferredMs = 0;
  #nextMaintenanceMs = 0;
  #nextFullScanMs = 0;
  /** Since when brokers are alive, and have taken each leadership that was to go back to them. */
  readonly #steadySinceMs = new Map<BrokerId, number>();
  #cancelTick: CancelTimer | undefined;
  #stepPlanned = false;
  #stopped = false;

  constructor(ports: ControllerPorts) {
    this.#ports = ports;
    this.view = new CellView(ports.self, ports.links);
  }

  get inOffice(): boolean {
    const controller = this.#ports.metadata.image.controller;
    return (
      this.#epoch !== undefined &&
      controller?.brokerId === this.#ports.self &&
      controller.controllerEpoch === this.#epoch &&
      !this.#stopped
    );
  }

  start(): void {
    this.#startedMs = this.#ports.clock.monotonicMs();
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
  }

  /** Something changed that may need the controller: who is alive, a record, a report. Looks at the end of the turn. */
  poke(): void {
    this.#scanAll = true;
    this.#planStep();
  }

  onDelta(delta: MetadataDelta): void {
    if (delta.controllerChanged && this.#epoch !== undefined && !this.inOffice) this.#standDown();
    for (const topicId of delta.topicsDeleted.keys()) this.#forgetTopic(topicId);
    if (delta.controllerChanged || delta.brokersChanged.size > 0 || delta.topicsChanged.size > 0 || delta.reset)
      this.poke();
  }

  /** What brokers report of their replicas; kept until a newer record of the partition makes it void. */
  onReports(reports: readonly ReplicaReport[]): void {
    for (const report of reports) {
      const id = keyOf(report);
      const known = this.#reports.get(id);
      // A deposed leader may still report what it sees.
      if (known === undefined ? this.#reports.size >= reportsMax : known.partitionEpoch > report.partitionEpoch)
        continue;
      this.#reports.set(id, report);
    }
    this.poke();
  }

  /** Moves every leadership that it can away from a broker that is about to stop. */
  async release(broker: BrokerId): Promise<void> {
    await this.#round;
    const orders: ElectionOrder[] = [];
    for (const topic of this.#ports.metadata.image.topics.values()) {
      for (const record of topic.partitions) {
        if (record.leader === broker && isElectable(record, this.view) && record.voters.length > 1)
          orders.push({
            topicId: topic.topicId,
            partition: record.partition,
            preferred: undefined,
            recover: undefined,
          });
      }
    }
    for (let at = 0; at < orders.length && this.inOffice; at += electionBatchMax)
      await this.#runRound(orders.slice(at, at + electionBatchMax));
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#step();
    this.#cancelTick = this.#ports.timers.after(controllerTickMs, () => this.#tick());
  }

  #planStep(): void {
    if (this.#stepPlanned || this.#stopped) return;
    this.#stepPlanned = true;
    this.#ports.timers.afterTurn(() => {
      this.#stepPlanned = false;
      if (!this.#stopped) this.#step();
    });
  }

  #step(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.view.observe(nowMs);
    if (this.inOffice) this.#lead(nowMs);
    else this.#watch(nowMs);
  }

  #watch(nowMs: number): void {
    const view = this.#candidacy(nowMs);
    if (!isControllerMissing(view)) {
      this.#missingSinceMs = undefined;
      return;
    }
    this.#missingSinceMs ??= nowMs;
    if (!this.#standing && shouldStand({ ...view, sinceMs: nowMs - this.#missingSinceMs })) void this.#stand();
  }

  #candidacy(nowMs: number): CandidacyView {
    const { links, metadata, self } = this.#ports;
    const controller = metadata.image.controller?.brokerId;
    const link = controller === undefined ? undefined : links.link(controller);
    // Counted only while this broker can reach it: when the store is back for all, somebody hears of it first.
    if (link === undefined || link.peerStoreReachable || !metadata.storeReachable) this.#storeLostSinceMs = undefined;
    else this.#storeLostSinceMs ??= nowMs;
    if (nowMs - this.#lastOfficeChangeMs > candidacyCalmMs) this.#backoffMs = 0;
    return {
      self,
      controller,
      inOffice: this.inOffice,
      controllerAlive: controller !== undefined && links.isAlive(controller),
      controllerHeardByOthers: controller !== undefined && this.view.isHeardByOthers(controller),
      controllerWithoutStoreMs: this.#storeLostSinceMs === undefined ? 0 : nowMs - this.#storeLostSinceMs,
      storeReachable: metadata.storeReachable,
      alive: links.alive(),
      registered: metadata.image.brokers.size,
      draining: links.isDraining(self),
      sinceMs: nowMs - (this.#missingSinceMs ?? nowMs),
      startedMs: nowMs - this.#startedMs,
      backoffMs: this.#backoffMs,
    };
  }

  async #stand(): Promise<void> {
    this.#standing = true;
    const { metadata, self, logger } = this.#ports;
    const seen = metadata.image.controller?.controllerEpoch ?? 0;
    const result = await metadata.propose((image) => {
      const epoch = image.controller?.controllerEpoch ?? 0;
      if (epoch !== seen) return { records: [], reply: undefined };
      const controllerEpoch = epoch + 1;
      return {
        records: [{ type: "controller-elected", brokerId: self, controllerEpoch }],
        reply: controllerEpoch,
      };
    });
    this.#standing = false;
    this.#missingSinceMs = undefined;
    if (result.kind !== "done" || result.reply === undefined || this.#stopped) return;
    this.#epoch = result.reply;
    this.#officeChanged();
    this.#reports.clear();
    this.#attempts.clear();
    logger.info("controller-elected", { controllerEpoch: this.#epoch });
    this.#ports.onEvent("controller-elected", 1);
    this.poke();
  }

  #standDown(): void {
    this.#ports.logger.info("controller-stands-down", { controllerEpoch: this.#epoch });
    this.#epoch = undefined;
    this.#reports.clear();
    this.#attempts.clear();
    this.#officeChanged();
  }

  #officeChanged(): void {
    this.#lastOfficeChangeMs = this.#ports.clock.monotonicMs();
    this.#backoffMs = Math.min(candidacyBackoffMsMax, Math.max(100, this.#backoffMs * 2));
  }

  #lead(nowMs: number): void {
    const { links, metadata } = this.#ports;
    for (const broker of links.alive()) if (!this.#steadySinceMs.has(broker)) this.#steadySinceMs.set(broker, nowMs);
    for (const broker of this.#steadySinceMs.keys()) if (!links.isAlive(broker)) this.#steadySinceMs.delete(broker);
    if (nowMs >= this.#nextFullScanMs) {
      this.#scanAll = true;
      this.#nextFullScanMs = nowMs + 1_000;
    }
    if (this.#round !== undefined || !metadata.storeReachable) return;
    if (this.#scanAll || this.#attempts.size > 0) {
      this.#scanAll = false;
      const orders = this.#findElections(metadata.image, nowMs);
      if (orders.length > 0) {
        void this.#runRound(orders);
        return;
      }
      if (this.#promoteRecovered()) return;
    }
    if (nowMs >= this.#nextPreferredMs) {
      this.#nextPreferredMs = nowMs + preferredLeaderIntervalMs;
      this.#preferFirstVoters(nowMs);
    }
    if (nowMs >= this.#nextMaintenanceMs) {
      this.#nextMaintenanceMs = nowMs + maintenanceIntervalMs;
      void metadata.maintain();
    }
  }

  #findElections(image: MetadataImage, nowMs: number): ElectionOrder[] {
    const orders: ElectionOrder[] = [];
    for (const topic of image.topics.values()) {
      for (const record of topic.partitions) {
        const key = { topicId: topic.topicId, partition: record.partition };
        const order = this.#orderFor(key, record, nowMs);
        if (order !== undefined) orders.push(order);
        if (orders.length >= electionBatchMax) return orders;
      }
    }
    return orders;
  }

  #orderFor(key: PartitionKey, record: PartitionState, nowMs: number): ElectionOrder | undefined {
    const id = keyOf(key);
    const report = this.#reports.get(id);
    if (report !== undefined && report.partitionEpoch < record.partitionEpoch) this.#reports.delete(id);
    const reported = report?.partitionEpoch === record.partitionEpoch && report.reason !== "recovered";
    if (!needsElection(record, this.view, reported, this.#ports.rules)) {
      this.#calmAttempt(id, nowMs);
      return undefined;
    }
    const attempt = this.#attempts.get(id) ?? { nextMs: nowMs, waitMs: electionRetryMsMin, neededSinceMs: nowMs };
    this.#attempts.set(id, attempt);
    attempt.neededSinceMs ??= nowMs;
    const recover = { waited: nowMs - attempt.neededSinceMs >= recoveryWaitMs };
    const isAlive = (broker: BrokerId) => this.view.isAlive(broker);
    const mayRecover = this.#ports.recoverWithoutMajority && isRecoverable(record, isAlive, recover);
    if (nowMs < attempt.nextMs || !(mayRecover || isElectable(record, this.view))) return undefined;
    attempt.nextMs = nowMs + attempt.waitMs;
    attempt.waitMs = Math.min(attempt.waitMs * 2, electionRetryMsMax);
    return { ...key, preferred: undefined, recover: mayRecover ? recover : undefined };
  }

  /** Forgotten after a calm time only: whoever is elected again and again and cannot lead is elected ever less often. */
  #calmAttempt(id: string, nowMs: number): void {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) return;
    attempt.neededSinceMs = undefined;
    if (nowMs >= attempt.nextMs + attempt.waitMs) this.#attempts.delete(id);
  }

  /** One round at a time: intents, seals, leaders. */
  #runRound(orders: readonly ElectionOrder[]): Promise<void> {
    const { timers, metadata, logger, rules, sealer } = this.#ports;
    const round = new ElectionRound({
      timers,
      metadata,
      rules,
      sealer,
      view: this.view,
      isInOffice: () => this.inOffice,
    });
    const startedMs = this.#ports.clock.monotonicMs();
    const running = round.run(orders).then((elected) => {
      if (this.#round === running) this.#round = undefined;
      let recovered = 0;
      for (const { key, choice } of elected) {
        if (!choice.recovered) continue;
        recovered++;
        logger.warn("recovered-without-majority", { ...key, leader: choice.leader, mayMiss: "acknowledged records" });
      }
      const suspectedMs = elected.map(({ key }) => this.#attempts.get(keyOf(key))?.neededSinceMs ?? startedMs);
      if (elected.length > 0) {
        const failoverMs = this.#ports.clock.monotonicMs() - Math.min(...suspectedMs);
        this.#ports.onEvent("leader-elected", elected.length, failoverMs);
      }
      if (recovered > 0) this.#ports.onEvent("recovered", recovered);
      this.poke();
    });
    this.#round = running;
    return running;
  }

  /** Voters that lost their data and hold all again get their vote back (the model's Promote). */
  #promoteRecovered(): boolean {
    const reports = [...this.#reports.values()].filter((report) => report.reason === "recovered");
    if (reports.length === 0) return false;
    for (const report of reports) this.#reports.delete(keyOf(report));
    const promoting = this.#ports.metadata.propose((image) => {
      const changes = reports.flatMap((report) => {
        const record = image.topics.get(report.topicId)?.partitions[report.partition];
        if (record === undefined || record.partitionEpoch !== report.partitionEpoch) return [];
        const lost = record.lost.filter((broker) => !report.brokers.includes(broker));
        const state = { ...record, lost, partitionEpoch: record.partitionEpoch + 1 };
        return lost.length === record.lost.length ? [] : [{ ...report, state }];
      });
      return { records: partitionsUpserted(changes), reply: changes.length };
    });
    const running = promoting.then(() => {
      if (this.#round === running) this.#round = undefined;
      this.poke();
    });
    this.#round = running;
    return true;
  }

  /** Spreads leaders again after brokers came back: to the first voter, once it has been alive for a while. */
  #preferFirstVoters(nowMs: number): void {
    const byLeader = new Map<BrokerId, HandOverOrder[]>();
    let count = 0;
    for (const topic of this.#ports.metadata.image.topics.values()) {
      for (const record of topic.partitions) {
        const target = record.voters[0];
        if (target === undefined || target === record.leader || count >= preferredLeaderBatchMax) continue;
        const steadyMs = nowMs - (this.#steadySinceMs.get(target) ?? nowMs);
        if (steadyMs < preferredLeaderAfterMs || record.lost.includes(target) || this.view.isDraining(target)) continue;
        if (!isElectable(record, this.view) || !this.view.isConnected(target, record)) continue;
        const orders = byLeader.get(record.leader) ?? [];
        byLeader.set(record.leader, orders);
        orders.push({
          topicId: topic.topicId,
          partition: record.partition,
          partitionEpoch: record.partitionEpoch,
          target,
        });
        count++;
      }
    }
    if (count === 0) return;
    const running = this.#handOver(byLeader).then(() => {
      if (this.#round === running) this.#round = undefined;
    });
    this.#round = running;
  }

  async #handOver(byLeader: ReadonlyMap<BrokerId, readonly HandOverOrder[]>): Promise<void> {
    // Leaders stop appending for it: not unless the store, which must take the election, answers at this moment.
    if ((await this.#ports.metadata.follower.refresh()).kind !== "current") return;
    for (const [leader, orders] of byLeader) {
      const ready = await this.#ports.handOver(leader, orders);
      const elections = orders
        .filter((order) => ready.some((key) => keyOf(key) === keyOf(order)))
        .map((order) => ({ ...order, preferred: order.target, recover: undefined }));
      if (elections.length > 0 && this.inOffice) await this.#runRound(elections);
      const { image } = this.#ports.metadata;
      for (const { topicId, partition, target } of orders) {
        if (image.topics.get(topicId)?.partitions[partition]?.leader === target) continue;
        // Its disk may stand still.
        this.#steadySinceMs.set(target, this.#ports.clock.monotonicMs());
      }
    }
  }

  #forgetTopic(topicId: TopicId): void {
    for (const id of this.#reports.keys()) if (id.startsWith(topicId)) this.#reports.delete(id);
    for (const id of this.#attempts.keys()) if (id.startsWith(topicId)) this.#attempts.delete(id);
  }
}

function keyOf(key: PartitionKey): string {
  return `${key.topicId}-${key.partition}`;
}
