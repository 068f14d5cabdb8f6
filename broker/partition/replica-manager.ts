import type { MetadataDelta, MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, LeaderEpoch, PartitionState, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { PartitionLogContract } from "../log/log-contract.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { PeerLinks } from "../peer/peer-links.ts";
import type { AckEntry, AppendEntry, AttachedMessage, AttachMessage, RefusedMessage } from "../peer/peer-messages.ts";
import type { ReplicaState, ReplicaStateStore } from "../replication/replica-state-store.ts";
import type { ReplicationRules } from "../replication/replication-rules.ts";
import { HostedReplica } from "./hosted-replica.ts";
import {
  highWatermarkIntervalMs,
  logReopenMs,
  openConcurrency,
  parkedAttachesMax,
  reportIntervalMs,
  retentionIntervalMs,
  syncConcurrency,
  syncIntervalMs,
} from "./limits.ts";
import type { HostedPartition, PartitionHost } from "./partition-contract.ts";
import type { PartitionSettings } from "./partition-settings.ts";
import { Replica } from "./replica.ts";
import type { ReplicaContext, ReplicaReport, StreamOwner } from "./replica-context.ts";
import type { SealAnswer } from "./seal-answer.ts";

/** Where the logs of a broker's replicas are kept. */
export interface LogDirectory {
  open(topicId: TopicId, partition: number, settings: PartitionSettings): Promise<PartitionLogContract>;
  /** All replicas that have files: what the image does not know any more is deleted. */
  list(): Promise<readonly { readonly topicId: TopicId; readonly partition: number }[]>;
  remove(topicId: TopicId, partition: number): Promise<void>;
}

export interface ReplicaManagerPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly rules: ReplicationRules;
  readonly links: PeerLinks;
  readonly logs: LogDirectory;
  readonly states: ReplicaStateStore;
  /** Parsed configs of a topic, as the image has them now. */
  settingsOf(topic: TopicImage): PartitionSettings;
  /** Hands reports to whoever is controller now; lost ones are repeated. */
  sendReports(reports: readonly ReplicaReport[]): void;
  /** Events for metrics: truncations, failovers, … */
  onEvent(event: "truncated" | "became-leader" | "log-failed"): void;
}

type Slot =
  /** Being opened; the newest record is applied when it is open. */
  | { readonly kind: "opening"; record: PartitionState; unwanted: boolean }
  | { readonly kind: "open"; readonly hosted: HostedReplica };

/** The replicas that this broker hosts: made, changed and removed as the metadata image says, and found by handlers. */
export class ReplicaManager implements PartitionHost {
  readonly #ports: ReplicaManagerPorts;
  readonly #slots = new Map<TopicId, Map<number, Slot>>();
  readonly #outbound = new WeakMap<PeerLink, Map<number, StreamOwner>>();
  readonly #inbound = new WeakMap<PeerLink, Map<number, Replica>>();
  readonly #inboundOf = new WeakMap<Replica, { readonly link: PeerLink; readonly stream: number }>();
  readonly #parked = new Map<string, { readonly link: PeerLink; readonly message: AttachMessage }>();
  readonly #openQueue: (() => Promise<void>)[] = [];
  #opening = 0;
  readonly #attention = new Set<Replica>();
  readonly #movedWatermarks = new Set<Replica>();
  readonly #cancel: CancelTimer[] = [];
  #watermarksPlanned = false;
  #reportsPlanned = false;
  #stopped = false;
  #syncing: Promise<void> = Promise.resolve();

  constructor(ports: ReplicaManagerPorts) {
    this.#ports = ports;
  }

  /** Applies the first image: opens what is hosted, removes files of what is gone. */
  async start(image: MetadataImage): Promise<void> {
    for (const found of await this.#ports.logs.list()) {
      const record = image.topics.get(found.topicId)?.partitions[found.partition];
      if (record !== undefined && hosts(record, this.#ports.self)) continue;
      await this.#ports.logs.remove(found.topicId, found.partition);
      await this.#ports.states.remove(found.topicId, found.partition);
    }
    this.#applyAll(image);
    this.#every(syncIntervalMs, () => this.#syncAll());
    this.#every(retentionIntervalMs, () => this.#retain());
    this.#every(reportIntervalMs, () => this.#retryAttaches());
  }

  /** Follows the metadata log, entry by entry. */
  onDelta(delta: MetadataDelta, image: MetadataImage): void {
    if (this.#stopped) return;
    if (delta.reset) {
      this.#applyAll(image);
      return;
    }
    for (const topicId of delta.topicsDeleted.keys()) this.#removeTopic(topicId);
    for (const [topicId, changed] of delta.topicsChanged) {
      const topic = image.topics.get(topicId);
      if (topic === undefined) continue;
      for (const partition of changed.partitions) this.#applyPartition(topic, partition);
      if (changed.configs) this.#reconfigure(topic);
    }
    if (delta.cellConfigsChanged) for (const topic of image.topics.values()) this.#reconfigure(topic);
  }

  find(topicId: TopicId, partition: number): HostedPartition | undefined {
    const slot = this.#slots.get(topicId)?.get(partition);
    return slot?.kind === "open" ? slot.hosted : undefined;
  }

  /** Every open replica. */
  *replicas(): Generator<Replica> {
    for (const partitions of this.#slots.values())
      for (const slot of partitions.values()) if (slot.kind === "open") yield slot.hosted.replica;
  }

  replica(topicId: TopicId, partition: number): Replica | undefined {
    const slot = this.#slots.get(topicId)?.get(partition);
    return slot?.kind === "open" ? slot.hosted.replica : undefined;
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

  /** Ends all roles and closes all logs, cleanly if asked. */
  async stop(clean: boolean): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancel) cancel();
    await this.#syncing;
    const closing: Promise<void>[] = [];
    for (const replica of this.replicas()) closing.push(replica.close(clean));
    await Promise.allSettled(closing);
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

  #applyAll(image: MetadataImage): void {
    for (const topicId of this.#slots.keys()) if (!image.topics.has(topicId)) this.#removeTopic(topicId);
    for (const topic of image.topics.values()) {
      for (const record of topic.partitions) this.#applyPartition(topic, record.partition);
      this.#reconfigure(topic);
    }
  }

  #applyPartition(topic: TopicImage, partition: number): void {
    const record = topic.partitions[partition];
    if (record === undefined) return;
    const slot = this.#slots.get(topic.topicId)?.get(partition);
    const wanted = hosts(record, this.#ports.self);
    if (slot === undefined) {
      if (wanted) this.#open(topic, record);
    } else if (slot.kind === "opening") {
      slot.record = record;
      slot.unwanted = !wanted;
    } else if (wanted) {
      slot.hosted.replica.onRecord(record);
    } else {
      this.#removeReplica(topic.topicId, partition);
    }
  }

  #open(topic: TopicImage, record: PartitionState): void {
    const { topicId } = topic;
    const partitions = this.#slots.get(topicId) ?? new Map<number, Slot>();
    this.#slots.set(topicId, partitions);
    const slot: Slot & { kind: "opening" } = { kind: "opening", record, unwanted: false };
    partitions.set(record.partition, slot);
    this.#openQueue.push(async () => {
      if (slot.unwanted || this.#stopped) {
        if (partitions.get(record.partition) === slot) partitions.delete(record.partition);
        return;
      }
      const log = await this.#ports.logs.open(topicId, record.partition, this.#ports.settingsOf(topic));
      if (this.#stopped) {
        await log.close(false);
        return;
      }
      this.#opened(topic, slot, partitions, log);
    });
    this.#openNext();
  }

  #openNext(): void {
    while (this.#opening < openConcurrency) {
      const open = this.#openQueue.shift();
      if (open === undefined) return;
      this.#opening++;
      open()
        .catch((error: unknown) => {
          this.#ports.logger.error("log-not-opened", { error: String(error) });
          this.#ports.timers.after(logReopenMs, () => {
            this.#openQueue.push(open);
            this.#openNext();
          });
        })
        .finally(() => {
          this.#opening--;
          this.#openNext();
        });
    }
  }

  #opened(
    topic: TopicImage,
    slot: Slot & { kind: "opening" },
    partitions: Map<number, Slot>,
    log: PartitionLogContract,
  ): void {
    const { partition } = slot.record;
    const state = this.#stateOf(topic.topicId, slot.record, log);
    const settings = this.#ports.settingsOf(topic);
    const hosted = new HostedReplica(settings, this.#ports.clock, (onChanged, minInsyncReplicas) => {
      const context = this.#contextFor(topic.topicId, partition, () => hosted);
      return new Replica(slot.record, log, state, context, {
        reopenLog: () => this.#ports.logs.open(topic.topicId, partition, hosted.settings),
        onChanged,
        minInsyncReplicas,
      });
    });
    if (slot.unwanted) {
      partitions.delete(partition);
      void this.#delete(topic.topicId, partition, hosted.replica);
      return;
    }
    partitions.set(partition, { kind: "open", hosted });
    hosted.replica.considerOffice();
    const key = `${topic.topicId}-${partition}`;
    const parked = this.#parked.get(key);
    if (parked !== undefined) {
      this.#parked.delete(key);
      this.#attachTo(hosted.replica, parked.link, parked.message);
    }
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
    const previous = this.#inboundOf.get(replica);
    if (previous !== undefined) this.#inbound.get(previous.link)?.delete(previous.stream);
    this.#inboundOf.set(replica, { link, stream: message.stream });
    streams.set(message.stream, replica);
  }

  #removeTopic(topicId: TopicId): void {
    for (const partition of this.#slots.get(topicId)?.keys() ?? []) this.#removeReplica(topicId, partition);
    this.#slots.delete(topicId);
  }

  #removeReplica(topicId: TopicId, partition: number): void {
    const partitions = this.#slots.get(topicId);
    const slot = partitions?.get(partition);
    if (partitions === undefined || slot === undefined) return;
    partitions.delete(partition);
    if (slot.kind === "opening") slot.unwanted = true;
    else void this.#delete(topicId, partition, slot.hosted.replica);
  }

  async #delete(topicId: TopicId, partition: number, replica: Replica): Promise<void> {
    this.#attention.delete(replica);
    this.#movedWatermarks.delete(replica);
    try {
      await replica.delete();
      await this.#ports.states.remove(topicId, partition);
    } catch (error) {
      // Files that are left are found and removed at the next start.
      this.#ports.logger.warn("replica-not-removed", { topicId, partition, error: String(error) });
    }
  }

  #reconfigure(topic: TopicImage): void {
    const partitions = this.#slots.get(topic.topicId);
    if (partitions === undefined) return;
    const settings = this.#ports.settingsOf(topic);
    for (const slot of partitions.values()) if (slot.kind === "open") slot.hosted.reconfigure(settings);
  }

  #planReport(replica: Replica): void {
    this.#attention.add(replica);
    if (this.#reportsPlanned || this.#stopped) return;
    this.#reportsPlanned = true;
    this.#ports.timers.afterTurn(() => this.#report());
  }

  #report(): void {
    this.#reportsPlanned = false;
    if (this.#stopped) return;
    const reports: ReplicaReport[] = [];
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

  #syncAll(): void {
    this.#syncing = this.#syncing
      .then(() => this.sync())
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

function hosts(record: PartitionState, broker: BrokerId): boolean {
  return record.voters.includes(broker) || record.outgoing.includes(broker) || record.learners.includes(broker);
}
