/** One run of the real broker inside one simulated process. */
import { createHash } from "node:crypto";
import { Broker, type BrokerTuning } from "../../../broker/broker.ts";
import type { OffsetExpiryTuning } from "../../../broker/coordinator/group-coordinator.ts";
import { offsetsTopic } from "../../../broker/coordinator/internal-partition.ts";
import type { PartitionLogContract } from "../../../broker/log/log-contract.ts";
import type { AppendResult, HostedPartition, PartitionHost } from "../../../broker/partition/partition-contract.ts";
import type { ReplicationRules } from "../../../broker/replication/replication-rules.ts";
import type { ItemStore } from "../../../shared/item-store/item-store.ts";
import type { MetadataImage } from "../../../shared/metadata/image/metadata-image.ts";
import { encodeSnapshot } from "../../../shared/metadata/image/snapshot.ts";
import type { PartitionState } from "../../../shared/metadata/records/record.ts";
import type { ObjectStore } from "../../../shared/object-store/object-store.ts";
import type { Logger } from "../../../shared/telemetry/logger.ts";
import type { LeaderChecker } from "../checkers/leader-checker.ts";
import type { MetadataChecker } from "../checkers/metadata-checker.ts";
import { partitionKey, type TopicPartition } from "../workload/kafka-messages.ts";
import {
  type AdminRequest,
  type FrameSession,
  kafkaListener,
  kafkaPort,
  type ServedBroker,
  serveKafka,
  simulatedLkc,
} from "../workload/kafka-server.ts";
import type { Machine } from "../world/machine.ts";
import type { SeededRandom } from "../world/seeded-random.ts";
import { type DiskFaults, SimDisk } from "../world/sim-disk.ts";
import type { SimProcess } from "../world/sim-process.ts";
import { machineHost, SimTransport } from "../world/sim-transport.ts";
import type { Volume } from "../world/volume.ts";
import type { World } from "../world/world.ts";
import { FrameServer } from "./frame-server.ts";

export const cellName = "cell-sim";
const peerPort = 9000;
const commandTimeoutMs = 3_000;
/** So that offsets expire in runs of seconds, and not before clocks that differ by seconds agree on it. */
export const simulatedExpiry: OffsetExpiryTuning = { intervalMs: 500, retentionMs: 6_000 };
/** So that runs of seconds fill the window, read segments for followers, take snapshots and trim. */
const smallBounds: BrokerTuning = {
  snapshots: { everyEntries: 12, keptBelow: 6 },
  windowBytesMax: 6 * 1024,
  tailBytesMax: 24 * 1024,
  compaction: {
    configs: { isEnabled: true, backoffMs: 250, mapBytesMax: 1_000, ioBytesPerSecond: 4_000_000 },
    settleMs: 700,
  },
  offsetExpiry: simulatedExpiry,
};

export interface SimulatedBrokerOptions {
  readonly world: World;
  readonly machine: Machine;
  readonly process: SimProcess;
  readonly volume: Volume;
  readonly diskFaults: DiskFaults;
  readonly items: ItemStore;
  readonly objects: ObjectStore;
  readonly rules: ReplicationRules;
  readonly logger: Logger;
  readonly leaders: LeaderChecker;
  readonly metadata: MetadataChecker;
  readonly onCommitted: (at: TopicPartition) => void;
  /** A bug in how coordinators see their partitions. */
  readonly coordinatedBy: ((hosted: HostedPartition, broker: Broker) => HostedPartition) | undefined;
  /** This broker, as the controller, has just written the intent of an election. */
  readonly onElectionBegun: () => void;
}

export class SimulatedBroker implements ServedBroker {
  readonly process: SimProcess;
  readonly machine: Machine;
  readonly broker: Broker;
  readonly partitions: Pick<PartitionHost, "find">;
  readonly #options: SimulatedBrokerOptions;
  readonly #watchedLogs = new WeakSet<PartitionLogContract>();
  #frames: FrameServer | undefined;
  /** `start` is over: it serves clients. */
  isServing = false;

  constructor(options: SimulatedBrokerOptions) {
    const { world, machine, process, volume, diskFaults } = options;
    this.#options = options;
    this.process = process;
    this.machine = machine;
    const host = machineHost(machine.id);
    const ports = {
      clock: process.clock,
      timers: process.timers,
      random: process.random,
      disk: new SimDisk(volume, process, diskFaults),
      openTransport: (brokerId: number) =>
        Promise.resolve(new SimTransport(world.network, process, { brokerId, port: peerPort })),
      items: options.items,
      objects: options.objects,
      logger: options.logger,
    };
    this.broker = new Broker(
      {
        cell: cellName,
        cellNumber: 1,
        wantedId: machine.id,
        zone: `zone-${machine.id % 3}`,
        dataDirectory: "data",
        bootId: machine.bootId,
        peer: { host, port: peerPort },
        listeners: { [kafkaListener]: { host, port: kafkaPort } },
        rules: options.rules,
        recoverWithoutMajority: true,
        tuning: smallBounds,
        coordinatedBy: (hosted) => this.#watched(options.coordinatedBy?.(hosted, this.broker) ?? hosted),
        onEvent: (event, count) => world.coverage.count(`broker: ${event}`, count),
      },
      ports,
    );
    this.broker.metadata.follower.subscribe((_delta, image) => this.#applied(image));
    this.partitions = { find: (topicId, partition) => this.#find(topicId, partition) };
  }

  async start(): Promise<void> {
    await this.broker.start();
    this.isServing = true;
    serveKafka(this.#options.world.network, this.process, this);
  }

  /** Counts, from now on, when a log reads its segments for a follower. */
  watchLogs(): void {
    for (const { log } of this.broker.replicas.replicas()) {
      if (this.#watchedLogs.has(log)) continue;
      this.#watchedLogs.add(log);
      const readChunks = log.readChunks.bind(log);
      log.readChunks = (offset, maxBytes) => {
        const chunks = readChunks(offset, maxBytes);
        if (chunks instanceof Promise) this.#options.world.coverage.count("path: catch-up from segments");
        return chunks;
      };
    }
  }

  get isController(): boolean {
    return this.isServing && this.broker.controller.inOffice;
  }

  get isLeading(): boolean {
    return this.isServing && [...this.broker.replicas.replicas()].some(({ leader }) => leader !== undefined);
  }

  /** Has the controller believe that some leader cannot lead; answers whether it leads anything to do so of. */
  reportNeedlessly(random: SeededRandom, ofCoordinators = false): boolean {
    const partitions = this.#partitions(ofCoordinators);
    if (partitions.length > 0) this.#report([random.pick(partitions)]);
    return partitions.length > 0;
  }

  /** Has the controller believe that this broker can lead nothing. */
  reportLeader(brokerId: number): void {
    this.#report(this.#partitions().filter(({ leader }) => leader === brokerId));
  }

  #partitions(ofCoordinators = false): (PartitionState & { readonly topicId: string })[] {
    const offsets = ofCoordinators ? offsetsTopic(this.broker.image) : undefined;
    const topics = offsets === undefined ? [...this.broker.image.topics.values()] : [offsets];
    return topics.flatMap(({ topicId, partitions }) => partitions.map((record) => ({ topicId, ...record })));
  }

  #report(partitions: readonly (PartitionState & { readonly topicId: string })[]): void {
    const reports = partitions.map(
      ({ topicId, partition, partitionEpoch }) =>
        ({ topicId, partition, partitionEpoch, reason: "cannot-lead", brokers: [] }) as const,
    );
    this.process.deliver("late report", () => this.broker.controller.onReports(reports));
  }

  /** Does it coordinate groups? */
  get coordinates(): boolean {
    return this.isServing && this.broker.groups.groupCount > 0;
  }

  openFrames(): FrameSession {
    const { process } = this;
    const { world, logger } = this.#options;
    this.#frames ??= new FrameServer({
      broker: this.broker,
      process,
      logger,
      nowMs: () => world.scheduler.nowMs,
      onFault: (cause) => world.scheduler.fail(new Error(`${process.name} failed: ${String(cause)}`, { cause })),
    });
    return this.#frames.open();
  }

  image(): MetadataImage | undefined {
    return this.isServing ? this.broker.image : undefined;
  }

  async administer(request: AdminRequest): Promise<string | undefined> {
    const { commands } = this.broker;
    if (request.kind === "ensure-logical-cluster") {
      const command = { kind: "ensure-logical-cluster", lkc: request.lkc ?? simulatedLkc, name: "simulated" } as const;
      return describeOutcome(await commands.submit(command, commandTimeoutMs));
    }
    if (request.kind === "set-cell-configs" || request.kind === "delete-logical-cluster")
      return describeOutcome(await commands.submit(request, commandTimeoutMs));
    if (request.kind === "delete-topic") {
      const command = {
        kind: "delete-topics",
        lkc: simulatedLkc,
        topics: [{ by: "id", topicId: request.topicId }],
      } as const;
      return describeOutcome(await commands.submit(command, commandTimeoutMs));
    }
    const { name, partitions, replicationFactor, configs } = request;
    const command = {
      kind: "create-topics",
      lkc: simulatedLkc,
      validateOnly: false,
      topics: [{ name, partitions, replicationFactor, configs }],
    } as const;
    return describeOutcome(await commands.submit(command, commandTimeoutMs));
  }

  #find(topicId: string, partition: number): HostedPartition | undefined {
    const hosted = this.broker.replicas.find(topicId, partition);
    return hosted === undefined ? undefined : this.#watched(hosted);
  }

  /** The partition itself, with every append and commit told to the checkers. */
  #watched(hosted: HostedPartition): HostedPartition {
    const append = (records: Buffer, options: { readonly requiredAcks: number }): AppendResult => {
      const result = hosted.append(records, options);
      const epoch = this.broker.replicas.replica(hosted.topicId, hosted.partition)?.leader?.epoch;
      if (result.kind === "appended" && epoch !== undefined) {
        this.#options.leaders.acts(partitionKey(hosted), epoch, this.process.name);
      }
      return result;
    };
    const whenCommitted: HostedPartition["whenCommitted"] = (endOffset, done) =>
      hosted.whenCommitted(endOffset, (error) => {
        if (error === undefined) this.#options.onCommitted(hosted);
        done(error);
      });
    return new Proxy(hosted, {
      get(target, name) {
        if (name === "append") return append;
        if (name === "whenCommitted") return whenCommitted;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  #applied(image: MetadataImage): void {
    if (this.isController && hasElectionUnderWay(image)) this.#options.onElectionBegun();
    const digest = createHash("sha1").update(encodeSnapshot(image)).digest("hex");
    this.#options.metadata.applied(this.process.name, image.seq, digest);
  }
}

function hasElectionUnderWay(image: MetadataImage): boolean {
  for (const topic of image.topics.values()) {
    if (topic.partitions.some(({ intendedEpoch, leaderEpoch }) => intendedEpoch > leaderEpoch)) return true;
  }
  return false;
}

function describeOutcome(result: { readonly kind: string; readonly reply?: unknown }): string | undefined {
  if (result.kind !== "done") return result.kind;
  const text = JSON.stringify(result.reply);
  return text.includes('"failed"') || text.includes('"refused"') ? text : undefined;
}
