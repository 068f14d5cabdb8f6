import type { MetadataDelta, MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, LeaderEpoch, PartitionState, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { PartitionLogContract } from "../log/log-contract.ts";
import type { Obstacle } from "../log/obstacle.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { PeerLinks } from "../peer/peer-links.ts";
import type { AckEntry, AppendEntry, AttachedMessage, AttachMessage, RefusedMessage } from "../peer/peer-messages.ts";
import type { ReplicaState, ReplicaStateStore } from "../replication/replica-state-store.ts";
import type { ReplicationRules } from "../replication/replication-rules.ts";
import { HostedReplica } from "./hosted-replica.ts";
import {
  diskStillMsMax,
  highWatermarkIntervalMs,
  parkedAttachesMax,
  reportIntervalMs,
  retentionIntervalMs,
  syncConcurrency,
  syncIntervalMs,
} from "./limits.ts";
import { type CleanerConfigs, LogCleaner } from "./log-cleaner.ts";
import type { LogDirectory } from "./log-directory.ts";
import { othersCanElect } from "./others-can-elect.ts";
import type { HostedPartition, PartitionHost } from "./partition-contract.ts";
import type { PartitionSettings } from "./partition-settings.ts";
import { Replica } from "./replica.ts";
import type { ReplicaContext, ReplicaReport, StreamOwner } from "./replica-context.ts";
import { isHosted, ReplicaSlots } from "./replica-slots.ts";
import type { SealAnswer } from "./seal-answer.ts";

export interface ReplicaManagerPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly rules: ReplicationRules;
  readonly links: Pick<PeerLinks, "link" | "isAlive">;
  readonly logs: LogDirectory;
  readonly states: ReplicaStateStore;
  /** Parsed configs of a topic, as the image has them now. */
  settingsOf(topic: TopicImage): PartitionSettings;
  /** The cell's configurations of compaction, as the image has them now. */
  cleanerConfigs(): CleanerConfigs;
  /** See the limit of that name; lower in the simulator. */
  readonly compactionSettleMs?: number | undefined;
  /** Hands reports to whoever is controller now; lost ones are repeated. */
  sendReports(reports: readonly ReplicaReport[]): void;
  /** Whether the metadata log could take an election now. */
  storeReachable(): boolean;
  /** A leadership began or ended here: see `leaderEpoch`. May be called from within any call; must be cheap. */
  onLeadership(hosted: HostedPartition): void;
  /** Events for metrics: truncations, failovers, … */
  onEvent(event: "truncated" | "copied-anew" | "compacted"): void;
}

/** The replicas that this broker hosts: made, changed and removed as the metadata image says, and found by handlers. */
export class ReplicaManager implements PartitionHost {
  readonly #ports: ReplicaManagerPorts;
  readonly #slots: ReplicaSlots;
  readonly cleaner: LogCleaner;
  readonly #outbound = new WeakMap<PeerLink, Map<number, StreamOwner>>();
  readonly #inbound = new WeakMap<PeerLink, Map<number, Replica>>();
  readonly #inboundOf = new WeakMap<Replica, { readonly link: PeerLink; readonly stream: number }>();
  readonly #parked = new Map<string, { readonly link: PeerLink; readonly message: AttachMessage }>();
  readonly #attention = new Set<Replica>();
  readonly #movedWatermarks = new Set<Replica>();
  readonly #cancel: CancelTimer[] = [];
  #watermarksPlanned = false;
  #reportsPlanned = false;
  #stopped = false;
  #syncing: Promise<void> = Promise.resolve();
  #syncWaits = false;

  constructor(ports: ReplicaManagerPorts) {
    this.#ports = ports;
    this.#slots = new ReplicaSlots({
      self: ports.self,
      clock: ports.clock,
      timers: ports.timers,
      logger: ports.logger,
      logs: ports.logs,
      isAlive: (broker) => ports.links.isAlive(broker),
      settingsOf: (topic) => ports.settingsOf(topic),
      make: (topic, record, log) => this.#make(topic, record, log),
      onOpened: (replica, sinceMs) => this.#onOpened(replica, sinceMs),
      onOpenFailed: () => this.#planReports(),
      remove: (replica) => this.#remove(replica),
    });
    this.cleaner = new LogCleaner({
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      logger: ports.logger,
      replicas: () => this.replicas(),
      configs: () => ports.cleanerConfigs(),
      onCompacted: () => ports.onEvent("compacted"),
      settleMs: ports.compactionSettleMs,
    });
  }

  /** Applies the first image: opens what is hosted, removes files of what is gone. */
  async start(image: MetadataImage): Promise<void> {
    for (const found of await this.#ports.logs.list()) {
      const record = image.topics.get(found.topicId)?.partitions[found.partition];
      if (record !== undefined && isHosted(record, this.#ports.self)) continue;
      await this.#ports.logs.remove(found.topicId, found.partition);
      await this.#ports.states.remove(found.topicId, found.partition);
    }
    this.#slots.applyImage(image);
    this.#every(syncIntervalMs, () => this.#syncAll());
    this.#every(retentionIntervalMs, () => this.#retain());
    this.#every(reportIntervalMs, () => {
      this.#retryAttaches();
      this.#resignIfDiskStandsStill();
      this.#reportIfLateToOffice();
    });
    this.cleaner.start();
  }

  /** Follows the metadata log, entry by entry. */
  onDelta(delta: MetadataDelta, image: MetadataImage): void {
    if (this.#stopped) return;
    if (delta.reset) {
      this.#slots.applyImage(image);
      return;
    }
    for (const topicId of delta.topicsDeleted.keys()) this.#slots.removeTopic(topicId);
    for (const [topicId, changed] of delta.topicsChanged) {
      const topic = image.topics.get(topicId);
      if (topic === undefined) continue;
      for (const partition of changed.partitions) this.#slots.applyPartition(topic, partition);
      if (changed.configs) this.#slots.reconfigure(topic);
    }
    if (delta.cellConfigsChanged) for (const topic of image.topics.values()) this.#slots.reconfigure(topic);
  }

  /** Resolves when every log that the first image asks for was opened once, and so has been recovered. */
  get allOpened(): Promise<void> {
    return this.#slots.allOpened;
  }

  find(topicId: TopicId, partition: number): HostedPartition | undefined {
    return this.#slots.find(topicId, partition);
  }

  obstacle(topicId: TopicId, partition: number): Obstacle | undefined {
    return this.#slots.obstacle(topicId, partition);
  }

  /** Every open replica. */
  replicas(): Iterable<Replica> {
    return this.#slots.replicas();
  }

  replica(topicId: TopicId, partition: number): Replica | undefined {
    return this.#slots.find(topicId, partition)?.replica;
  }

  async seal(topicId: TopicId, partition: number, epoch: LeaderEpoch): Promise<SealAnswer> {
    const replica = this.replica(topicId, partition);
    return replica === undefined ? { kind: "failed" } : replica.seal(epoch);
  }

  onLinkUp(link: PeerLink): void {
    for (const replica of this.replicas()) replica.linkUp(link);
  }

  onLinkDown(link: PeerLink): void {
    for (const replica of this.replicas()) replica.linkDown(link);
    for (const [key, parked] of this.#parked) if (parked.link === link) this.#parked.delete(key);
  }

  onAppend(link: PeerLink, entry: AppendEntry): void {
    const replica = this.#inbound.get(link)?.get(entry.stream);
    if (replica !== undefined) replica.onAppend(link, entry);
    else link.send({ kind: "refused", stream: entry.stream, promisedEpoch: -1 });
  }

  onAck(link: PeerLink, entry: AckEntry): void {
    this.#outbound.get(link)?.get(entry.stream)?.onAck(link, entry);
  }

  onAttached(link: PeerLink, message: AttachedMessage): void {
    this.#outbound.get(link)?.get(message.stream)?.onAttached(link, message.stream, message.endOffset);
  }

  onRefused(link: PeerLink, message: RefusedMessage): void {
    this.#outbound.get(link)?.get(message.stream)?.onRefused(link, message.stream, message.promisedEpoch);
  }

  onAttach(link: PeerLink, message: AttachMessage): void {
    const replica = this.replica(message.topicId, message.partition);
    if (replica !== undefined) {
      this.#attachTo(replica, link, message);
      return;
    }
    // The leader may have read the record of a new partition before this broker did.
    if (this.#parked.size < parkedAttachesMax && !this.#stopped)
      this.#parked.set(`${message.topicId}-${message.partition}`, { link, message });
    else link.send({ kind: "refused", stream: message.stream, promisedEpoch: -1 });
  }

  /** Makes everything written so far survive a loss of power. */
  async sync(): Promise<void> {
    const logs = [...this.replicas()]
      .map((replica) => replica.log)
      .filter((log) => log.syncedOffset < log.writtenOffset);
    let next = 0;
    const worker = async () => {
      for (let log = logs[next++]; log !== undefined; log = logs[next++]) {
        if (log.failure === undefined) await log.sync();
      }
    };
    await Promise.all(Array.from({ length: Math.min(syncConcurrency, logs.length) }, worker));
    // After the logs: an accepted epoch never outlives the log that earned it.
    await this.#ports.states.sync();
  }

  /** Ends all roles and closes all logs, cleanly if asked. Answers whether all that is on the disk was synced. */
  async stop(clean: boolean): Promise<boolean> {
    this.#stopped = true;
    for (const cancel of this.#cancel) cancel();
    this.cleaner.stop();
    await this.#syncing;
    return this.#slots.close(clean);
  }

  #every(intervalMs: number, run: () => void): void {
    const place = this.#cancel.length;
    const again = () => {
      if (this.#stopped) return;
      run();
      this.#cancel[place] = this.#ports.timers.after(intervalMs, again);
    };
    this.#cancel[place] = this.#ports.timers.after(intervalMs, again);
  }

  #make(topic: TopicImage, record: PartitionState, log: PartitionLogContract): HostedReplica {
    const { topicId } = topic;
    const { partition } = record;
    const state = this.#stateOf(topicId, record, log);
    const hosted = new HostedReplica(
      this.#ports.settingsOf(topic),
      this.#ports.clock,
      (onChanged, minInsyncReplicas) => {
        const context = this.#contextFor(topicId, partition, () => hosted);
        return new Replica(record, log, state, context, {
          reopenLog: (writtenOffset) => this.#ports.logs.open(topicId, partition, hosted.settings, writtenOffset),
          onChanged,
          minInsyncReplicas,
        });
      },
      (changed) => this.#ports.onLeadership(changed),
    );
    return hosted;
  }

  #onOpened(replica: Replica, sinceMs: number): void {
    replica.considerOffice(sinceMs);
    const key = `${replica.context.topicId}-${replica.context.partition}`;
    const parked = this.#parked.get(key);
    if (parked === undefined) return;
    this.#parked.delete(key);
    this.#attachTo(replica, parked.link, parked.message);
  }

  /**
   * What a replica promised and accepted. When its data may not have survived, an accepted epoch may have outlived the log
   * that earned it: it then ranks by what its log still has.
   */
  #stateOf(topicId: TopicId, record: PartitionState, log: PartitionLogContract): ReplicaState {
    const state = this.#ports.states.get(topicId, record.partition);
    if (!record.lost.includes(this.#ports.self)) return state;
    return { ...state, acceptedEpoch: Math.min(state.acceptedEpoch, Math.max(0, log.epochs.lastEpoch)) };
  }

  #contextFor(topicId: TopicId, partition: number, hosted: () => HostedReplica): ReplicaContext {
    const ports = this.#ports;
    return {
      self: ports.self,
      topicId,
      partition,
      clock: ports.clock,
      timers: ports.timers,
      logger: ports.logger.with({ topicId, partition }),
      rules: ports.rules,
      links: ports.links,
      saveState: (state) => ports.states.save(topicId, partition, state),
      routeStream: (link, streamNumber, owner) => this.#route(link, streamNumber, owner),
      unrouteStream: (link, streamNumber) => this.#outbound.get(link)?.delete(streamNumber),
      attention: () => this.#planReport(hosted().replica),
      highWatermarkMoved: () => this.#planWatermark(hosted().replica),
      onTruncated: (from, to) => {
        ports.logger.info("truncated", { topicId, partition, from, to });
        ports.onEvent("truncated");
      },
      onRestarted: (end, reason) => {
        ports.logger.info("log-copied-anew", { topicId, partition, end, reason });
        ports.onEvent("copied-anew");
      },
      onLogStartHeld: () => hosted().onLogStartHeld(),
    };
  }

  #route(link: PeerLink, streamNumber: number, owner: StreamOwner): void {
    const streams = this.#outbound.get(link) ?? new Map<number, StreamOwner>();
    this.#outbound.set(link, streams);
    streams.set(streamNumber, owner);
  }

  #attachTo(replica: Replica, link: PeerLink, message: AttachMessage): void {
    const streams = this.#inbound.get(link) ?? new Map<number, Replica>();
    this.#inbound.set(link, streams);
    // The stream of the rightful leader stays when a deposed one tries to attach.
    if (replica.onAttach(link, message) === "refused") return;
    this.#unrouteInbound(replica);
    this.#inboundOf.set(replica, { link, stream: message.stream });
    streams.set(message.stream, replica);
  }

  #unrouteInbound(replica: Replica): void {
    const previous = this.#inboundOf.get(replica);
    if (previous !== undefined) this.#inbound.get(previous.link)?.delete(previous.stream);
  }

  async #remove(replica: Replica): Promise<void> {
    const { topicId, partition } = replica.context;
    this.#attention.delete(replica);
    this.#movedWatermarks.delete(replica);
    this.#unrouteInbound(replica);
    try {
      await replica.delete();
      await this.#ports.states.remove(topicId, partition);
    } catch (error) {
      // Files that are left are found and removed at the next start.
      this.#ports.logger.warn("replica-not-removed", { topicId, partition, error: String(error) });
    }
  }

  #planReport(replica: Replica): void {
    this.#attention.add(replica);
    this.#planReports();
  }

  #planReports(): void {
    if (this.#reportsPlanned || this.#stopped) return;
    this.#reportsPlanned = true;
    this.#ports.timers.afterTurn(() => this.#report());
  }

  #report(): void {
    this.#reportsPlanned = false;
    if (this.#stopped) return;
    const reports = this.#slots.reports();
    for (const replica of this.#attention) {
      const report = replica.report();
      if (report === undefined) this.#attention.delete(replica);
      else reports.push(report);
    }
    if (reports.length === 0) return;
    this.#ports.sendReports(reports);
    this.#reportsPlanned = true;
    this.#ports.timers.after(reportIntervalMs, () => this.#report());
  }

  #planWatermark(replica: Replica): void {
    this.#movedWatermarks.add(replica);
    if (this.#watermarksPlanned || this.#stopped) return;
    this.#watermarksPlanned = true;
    this.#ports.timers.after(highWatermarkIntervalMs, () => {
      this.#watermarksPlanned = false;
      for (const moved of this.#movedWatermarks) moved.leader?.sendHighWatermarks();
      this.#movedWatermarks.clear();
    });
  }

  #retryAttaches(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const replica of this.replicas()) {
      replica.leader?.retryAttaches(nowMs);
      if (replica.record.lost.length > 0 && replica.leader !== undefined) this.#planReport(replica);
    }
  }

  /**
   * A leader whose disk stands still takes no records any more. It goes, but only where the others can elect one of them:
   * else its reads and its place would be lost for nothing, and the disk may go on at any moment.
   */
  #resignIfDiskStandsStill(): void {
    const { clock, links, logger, logs, self } = this.#ports;
    const { standsStillSinceMs } = logs;
    if (standsStillSinceMs === undefined || clock.monotonicMs() - standsStillSinceMs < diskStillMsMax) return;
    if (!this.#ports.storeReachable()) return;
    let leaderships = 0;
    for (const replica of this.replicas()) {
      if (replica.leader === undefined || !othersCanElect(replica.record, self, links)) continue;
      replica.resign();
      leaderships += 1;
    }
    if (leaderships > 0) logger.error("disk-stands-still", { leaderships });
  }

  /** A leadership that was given to a broker whose disk stands still would begin nowhere, as long as it does. */
  #reportIfLateToOffice(): void {
    for (const replica of this.replicas()) if (replica.isLateToOffice) this.#planReport(replica);
    if (this.#slots.reports().length > 0) this.#planReports();
  }

  /** One round waits for the one under way, not more: a disk that stood still must not find a queue of them. */
  #syncAll(): void {
    if (this.#syncWaits) return;
    this.#syncWaits = true;
    this.#syncing = this.#syncing
      .then(() => {
        this.#syncWaits = false;
        return this.sync();
      })
      .catch((error: unknown) => this.#ports.logger.error("sync-failed", { error: String(error) }));
  }

  #retain(): void {
    const wallMs = this.#ports.clock.wallMs();
    for (const replica of this.replicas()) {
      if (replica.leader === undefined || replica.log.failure !== undefined) continue;
      const start = replica.log.retentionStart(wallMs, replica.highWatermark);
      if (start <= replica.log.startOffset) continue;
      replica.log.raiseStart(start).then(
        () => this.#planWatermark(replica),
        (error: unknown) => this.#ports.logger.warn("retention-failed", { error: String(error) }),
      );
    }
  }
}
