import type { MetadataImage, TopicImage } from "../../shared/metadata/image/metadata-image.ts";
import type { BrokerId, PartitionState, TopicId } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import type { PartitionLogContract } from "../log/log-contract.ts";
import { type Obstacle, OpenObstacle } from "../log/obstacle.ts";
import type { HostedReplica } from "./hosted-replica.ts";
import { diskStillMsMax, logReopenMs, openConcurrency } from "./limits.ts";
import type { LogDirectory } from "./log-directory.ts";
import { othersCanElect } from "./others-can-elect.ts";
import type { PartitionSettings } from "./partition-settings.ts";
import type { Replica } from "./replica.ts";
import type { ReplicaReport } from "./replica-context.ts";

/** Being opened; the newest record and topic are applied when it is open. */
interface OpeningSlot {
  readonly kind: "opening";
  topic: TopicImage;
  record: PartitionState;
  unwanted: boolean;
  /** An attempt to open the log failed; there will be another one. */
  failed: boolean;
  /** Clients wait for it when this broker is to lead. */
  readonly appointment: OpenObstacle;
}

type Slot = OpeningSlot | { readonly kind: "open"; readonly hosted: HostedReplica };

export interface ReplicaSlotsPorts {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly logs: LogDirectory;
  isAlive(broker: BrokerId): boolean;
  settingsOf(topic: TopicImage): PartitionSettings;
  /** Makes a replica on its log. */
  make(topic: TopicImage, record: PartitionState, log: PartitionLogContract): HostedReplica;
  /** The replica is in its place, and may take part; who waits for it has done so since. */
  onOpened(replica: Replica, sinceMs: number): void;
  /** A replica that should lead cannot even be opened: there is something to report. */
  onOpenFailed(): void;
  /** The replica left its place: its files are to be removed, and what is kept of it elsewhere. Must not reject. */
  remove(replica: Replica): Promise<void>;
}

/**
 * Which replicas this broker has, as the metadata image says.
 *
 *   (none) --record names this broker--> opening --log open--> open --record names it no more--> removed
 *                                        ^  |  \
 *                                        |  |   \-- named no more --> opened, then removed
 *                                        \--/ failed: again after logReopenMs
 *
 * Openings and removals of one replica's files follow one another: who is made again waits until it was removed.
 */
export class ReplicaSlots {
  readonly #ports: ReplicaSlotsPorts;
  readonly #slots = new Map<TopicId, Map<number, Slot>>();
  readonly #openQueue: (() => Promise<void>)[] = [];
  #opening = 0;
  /** When an opening ended last, on the monotonic clock. */
  #movedMs = Number.NEGATIVE_INFINITY;
  /** The last work on the files of a replica, until it ended. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #allOpened = Promise.withResolvers<void>();
  #stopped = false;

  constructor(ports: ReplicaSlotsPorts) {
    this.#ports = ports;
  }

  /** Resolves when every log that the first image asks for was opened once, and so has been recovered. */
  get allOpened(): Promise<void> {
    return this.#allOpened.promise;
  }

  find(topicId: TopicId, partition: number): HostedReplica | undefined {
    const slot = this.#slots.get(topicId)?.get(partition);
    return slot?.kind === "open" ? slot.hosted : undefined;
  }

  obstacle(topicId: TopicId, partition: number): Obstacle | undefined {
    const slot = this.#slots.get(topicId)?.get(partition);
    if (slot === undefined) return undefined;
    if (slot.kind === "open") return slot.hosted.obstacle;
    return isOffice(slot, this.#ports.self) ? slot.appointment : undefined;
  }

  /** Every open replica. */
  *replicas(): Generator<Replica> {
    for (const slot of this.#all()) if (slot.kind === "open") yield slot.hosted.replica;
  }

  applyImage(image: MetadataImage): void {
    for (const topicId of this.#slots.keys()) if (!image.topics.has(topicId)) this.removeTopic(topicId);
    for (const topic of image.topics.values()) {
      for (const record of topic.partitions) this.applyPartition(topic, record.partition);
      this.reconfigure(topic);
    }
    this.#openNext();
  }

  applyPartition(topic: TopicImage, partition: number): void {
    const record = topic.partitions[partition];
    if (record === undefined) return;
    const slot = this.#slots.get(topic.topicId)?.get(partition);
    const wanted = isHosted(record, this.#ports.self);
    if (slot === undefined) {
      if (wanted) this.#open(topic, record);
    } else if (slot.kind === "opening") {
      slot.record = record;
      slot.unwanted = !wanted;
      if (!isOffice(slot, this.#ports.self)) slot.appointment.settle();
    } else if (wanted) {
      slot.hosted.replica.onRecord(record);
    } else {
      this.#remove(topic.topicId, partition);
    }
  }

  removeTopic(topicId: TopicId): void {
    for (const partition of this.#slots.get(topicId)?.keys() ?? []) this.#remove(topicId, partition);
    this.#slots.delete(topicId);
  }

  /** The topic's configs changed. */
  reconfigure(topic: TopicImage): void {
    const partitions = this.#slots.get(topic.topicId);
    if (partitions === undefined) return;
    const settings = this.#ports.settingsOf(topic);
    for (const slot of partitions.values()) {
      if (slot.kind === "open") slot.hosted.reconfigure(settings);
      else slot.topic = topic;
    }
  }

  /** Replicas that should lead and cannot be opened; or are not, as no log is any more, while others could be elected. */
  reports(): ReplicaReport[] {
    const reports: ReplicaReport[] = [];
    for (const slot of this.#all()) {
      if (slot.kind !== "opening" || slot.record.leader !== this.#ports.self) continue;
      if (!slot.failed && !this.#isLate(slot)) continue;
      const { partition, partitionEpoch } = slot.record;
      const { topicId } = slot.topic;
      reports.push({ topicId, partition, partitionEpoch, reason: "cannot-lead", brokers: [] });
    }
    return reports;
  }

  /** Closes all. Answers whether everything that this broker has on its disk was opened, synced and closed. */
  async close(clean: boolean): Promise<boolean> {
    this.#stopped = true;
    // What was not opened may have been written by the process before, and not be synced.
    const allOpen = [...this.#all()].every((slot) => slot.kind === "open");
    const replicas = [...this.replicas()];
    const closed = await Promise.allSettled(replicas.map((replica) => replica.close(clean)));
    await Promise.all(this.#turns.values());
    // A log that failed is closed as it is: what it wrote before, and acknowledged, may not be synced.
    const allSound = replicas.every(({ log }) => log.failure === undefined);
    return allOpen && allSound && closed.every(({ status }) => status === "fulfilled");
  }

  *#all(): Generator<Slot> {
    for (const partitions of this.#slots.values()) yield* partitions.values();
  }

  #open(topic: TopicImage, record: PartitionState): void {
    const { topicId } = topic;
    const { partition } = record;
    const partitions = this.#slots.get(topicId) ?? new Map<number, Slot>();
    this.#slots.set(topicId, partitions);
    const appointment = new OpenObstacle(this.#ports.clock.monotonicMs());
    const slot: OpeningSlot = { kind: "opening", topic, record, unwanted: false, failed: false, appointment };
    partitions.set(partition, slot);
    const open = () => this.#inTurn(`${topicId}-${partition}`, () => this.#openLog(slot, partitions));
    this.#openQueue.push(() => this.#tryOpen(slot, open));
    this.#openNext();
  }

  #openNext(): void {
    while (this.#opening < openConcurrency) {
      const open = this.#openQueue.shift();
      if (open === undefined) break;
      this.#opening++;
      void open().then(() => {
        this.#movedMs = this.#ports.clock.monotonicMs();
        this.#opening--;
        this.#openNext();
      });
    }
    if (this.#opening === 0 && ![...this.#all()].some((slot) => slot.kind === "opening")) this.#allOpened.resolve();
  }

  /** Never rejects. */
  async #tryOpen(slot: OpeningSlot, open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      const { topicId } = slot.topic;
      this.#ports.logger.error("log-not-opened", { topicId, partition: slot.record.partition, error: String(error) });
      slot.failed = true;
      slot.appointment.settle();
      this.#ports.onOpenFailed();
      this.#ports.timers.after(logReopenMs, () => {
        this.#openQueue.push(() => this.#tryOpen(slot, open));
        this.#openNext();
      });
    }
  }

  async #openLog(slot: OpeningSlot, partitions: Map<number, Slot>): Promise<void> {
    const { partition } = slot.record;
    const leave = () => partitions.get(partition) === slot && partitions.delete(partition);
    if (slot.unwanted || this.#stopped) {
      leave();
      return;
    }
    const log = await this.#ports.logs.open(slot.topic.topicId, partition, this.#ports.settingsOf(slot.topic));
    if (this.#stopped) {
      await log.close(false);
      return;
    }
    const hosted = this.#ports.make(slot.topic, slot.record, log);
    if (slot.unwanted) {
      leave();
      await this.#ports.remove(hosted.replica);
      return;
    }
    partitions.set(partition, { kind: "open", hosted });
    this.#ports.onOpened(hosted.replica, slot.appointment.sinceMs);
    slot.appointment.settle();
  }

  #isLate({ record, appointment }: OpeningSlot): boolean {
    const sinceMs = Math.max(appointment.sinceMs, this.#movedMs);
    if (this.#ports.clock.monotonicMs() - sinceMs < diskStillMsMax) return false;
    return othersCanElect(record, this.#ports.self, this.#ports);
  }

  #remove(topicId: TopicId, partition: number): void {
    const partitions = this.#slots.get(topicId);
    const slot = partitions?.get(partition);
    if (partitions === undefined || slot === undefined) return;
    partitions.delete(partition);
    if (slot.kind === "opening") {
      slot.unwanted = true;
      slot.appointment.settle();
    } else void this.#inTurn(`${topicId}-${partition}`, () => this.#ports.remove(slot.hosted.replica));
  }

  #inTurn(key: string, work: () => Promise<void>): Promise<void> {
    const done = (this.#turns.get(key) ?? Promise.resolve()).then(work);
    const turn = done
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(key) === turn) this.#turns.delete(key);
      });
    this.#turns.set(key, turn);
    return done;
  }
}

/** Is this broker to lead, once the log is open? */
function isOffice({ failed, unwanted, record }: OpeningSlot, self: BrokerId): boolean {
  return !failed && !unwanted && record.leader === self;
}

export function isHosted(record: PartitionState, broker: BrokerId): boolean {
  return record.voters.includes(broker) || record.outgoing.includes(broker) || record.learners.includes(broker);
}
