import type { ItemStore } from "../shared/item-store/item-store.ts";
import { MetadataFollower } from "../shared/metadata/follower/metadata-follower.ts";
import type { MetadataDelta, MetadataImage } from "../shared/metadata/image/metadata-image.ts";
import type { BrokerId, Endpoint } from "../shared/metadata/records/record.ts";
import type { ObjectStore } from "../shared/object-store/object-store.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { Disk } from "../shared/ports/disk.ts";
import type { PeerTransport } from "../shared/ports/peer-transport.ts";
import { type Random, randomUuid } from "../shared/ports/random.ts";
import type { Timers } from "../shared/ports/timers.ts";
import type { Logger } from "../shared/telemetry/logger.ts";
import { BrokerCalls } from "./broker-calls.ts";
import { CommandGateway } from "./controller/command-gateway.ts";
import { Controller } from "./controller/controller.ts";
import { MetadataAccess } from "./controller/metadata-access.ts";
import { ProducerIdSource } from "./controller/producer-id-source.ts";
import { GroupCoordinator, type OffsetExpiryTuning } from "./coordinator/group-coordinator.ts";
import { type Identity, IdentityStore } from "./identity.ts";
import { startRetryMs } from "./limits.ts";
import { DiskLogDirectory } from "./partition/disk-log-directory.ts";
import type { CleanerConfigs } from "./partition/log-cleaner.ts";
import type { HostedPartition } from "./partition/partition-contract.ts";
import { cleanerConfigs, partitionSettingsCache } from "./partition/partition-settings.ts";
import { ReplicaManager } from "./partition/replica-manager.ts";
import { type PeerEvents, PeerLinks } from "./peer/peer-links.ts";
import { registerBroker } from "./registration.ts";
import { ReplicaStateStore } from "./replication/replica-state-store.ts";
import type { ReplicationRules } from "./replication/replication-rules.ts";
import { watchedDisk } from "./watched-disk.ts";

/** All that a broker touches outside itself. */
export interface BrokerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  /** Listens at the broker's peer endpoint, in the name of the id that the log gave it. */
  openTransport(brokerId: BrokerId): Promise<PeerTransport>;
  readonly items: ItemStore;
  readonly objects: ObjectStore;
  readonly logger: Logger;
}

/** Something worth counting. */
export type BrokerEvent =
  | "truncated"
  | "copied-anew"
  | "compacted"
  | "controller-elected"
  | "leader-elected"
  | "recovered"
  | "coordinator-loaded"
  | "coordinator-not-loaded";

export interface BrokerOptions {
  readonly cell: string;
  /** In the high bits of producer ids, so that they are unique in the fleet. */
  readonly cellNumber: number;
  /** Taken if the data directory is new; else the directory's own id counts. */
  readonly wantedId: BrokerId;
  readonly zone: string;
  readonly dataDirectory: string;
  /** Of this run of the machine: page cache survives within it. */
  readonly bootId: string;
  readonly peer: Endpoint;
  readonly listeners: Readonly<Record<string, Endpoint>>;
  readonly rules: ReplicationRules;
  /** The local cloud goes on from the highest rank when no majority survived; in AWS an operator decides. */
  readonly recoverWithoutMajority: boolean;
  /** `tookMs`: how long an election, or the load of a coordinator, took. */
  onEvent?(event: BrokerEvent, count: number, tookMs?: number): void;
  /** For the simulator, whose runs of seconds are to meet what production meets in hours. */
  readonly tuning?: BrokerTuning;
  /** What coordinators see of the partitions that they live on; for the simulator, which looks on, and lies to them. */
  readonly coordinatedBy?: (hosted: HostedPartition) => HostedPartition;
}

/** Bounds that may be set lower than the folders' `limits.ts` have them. */
export interface BrokerTuning {
  readonly snapshots?: { readonly everyEntries: number; readonly keptBelow: number };
  readonly windowBytesMax?: number;
  readonly tailBytesMax?: number;
  readonly compaction?: { readonly configs: CleanerConfigs; readonly settleMs: number };
  readonly offsetExpiry?: OffsetExpiryTuning;
}

/**
 * One broker of a cell without its Kafka listeners: metadata, links to the peers, replicas, controller. The same object
 * runs in production and in the simulator, on other ports.
 */
export class Broker {
  readonly metadata: MetadataAccess;
  readonly #options: BrokerOptions;
  readonly #ports: BrokerPorts;
  readonly #identityStore: IdentityStore;
  #identity: Identity | undefined;
  #running: Running | undefined;
  #stopped = false;

  constructor(options: BrokerOptions, ports: BrokerPorts) {
    this.#options = options;
    const disk = watchedDisk(ports.disk, () => void this.#markUnsynced());
    this.#ports = { ...ports, disk };
    this.#identityStore = new IdentityStore(ports.disk, options.dataDirectory, options.bootId, ports.random);
    const follower = new MetadataFollower({
      cell: options.cell,
      writer: `broker-${options.wantedId}`,
      itemStore: ports.items,
      objectStore: ports.objects,
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      logger: ports.logger,
      snapshots: options.tuning?.snapshots,
    });
    this.metadata = new MetadataAccess(follower, () => this.#running?.links.links() ?? []);
  }

  get id(): BrokerId {
    if (this.#identity === undefined) throw new Error("the broker has no id before it started");
    return this.#identity.brokerId;
  }

  get image(): MetadataImage {
    return this.metadata.image;
  }

  get replicas(): ReplicaManager {
    return this.#parts.replicas;
  }

  get links(): PeerLinks {
    return this.#parts.links;
  }

  get controller(): Controller {
    return this.#parts.controller;
  }

  get commands(): CommandGateway {
    return this.#parts.commands;
  }

  get groups(): GroupCoordinator {
    return this.#parts.groups;
  }

  get producerIds(): ProducerIdSource {
    return this.#parts.producerIds;
  }

  get #parts(): Running {
    if (this.#running === undefined) throw new Error("the broker is not started");
    return this.#running;
  }

  /** Loads the metadata, registers, opens replicas and links. Waits for the store as long as it takes. */
  async start(): Promise<void> {
    const { disk } = this.#ports;
    const { dataDirectory } = this.#options;
    await disk.makeDirectory(dataDirectory);
    const opened = await this.#identityStore.open(this.#options.cell, this.#options.wantedId, this.#options.rules);
    const states = await ReplicaStateStore.open(disk, dataDirectory, opened);
    await this.#loadMetadata();
    const incarnationId = randomUuid(this.#ports.random);
    const identity = await registerBroker(opened, this.#identityStore, this.metadata, {
      ...this.#options,
      incarnationId,
      ports: this.#ports,
      isStopped: () => this.#stopped,
      forgetReplicas: () => states.clear(),
    });
    this.#identity = identity;
    if (this.#stopped) return;
    const logs = new DiskLogDirectory(`${dataDirectory}/topics`, this.#ports, {
      pageCacheSurvived: !opened.suspect,
      tailBytesMax: this.#options.tuning?.tailBytesMax,
    });
    const transport = await this.#ports.openTransport(identity.brokerId);
    const running = this.#compose(identity, states, logs, transport);
    this.#running = running;
    await running.replicas.start(this.image);
    // Until the logs were all recovered from what a power cut may have left, every start does it.
    if (opened.suspect) void running.replicas.allOpened.then(() => this.#markRecovered());
    this.metadata.follower.subscribe((delta, image) => this.#onDelta(delta, image));
    running.links.start(() => this.metadata.storeReachable);
    this.#setPeers();
    running.controller.start();
    running.producerIds.start();
    running.groups.start();
    // What came between the first image and the subscription.
    running.replicas.onDelta(resetDelta(this.image.seq), this.image);
  }

  /**
   * Has others elected for all that this broker leads, before its clients are drained; `shutdown` does it as well.
   * Resolves with the number of partitions for which nobody could be.
   */
  async releaseLeadership(): Promise<number> {
    return (await this.#running?.calls.releaseLeadership()) ?? 0;
  }

  /**
   * Controlled shutdown: hands leadership over, closes everything in order, and leaves a mark that nothing is missing.
   * Without `clean`, as when the process dies, it only stops.
   */
  async shutdown(clean = true): Promise<void> {
    this.#stopped = true;
    const running = this.#running;
    if (running === undefined) {
      this.metadata.follower.stop();
      return;
    }
    if (clean) await running.calls.releaseLeadership();
    running.producerIds.stop();
    running.groups.stop();
    running.controller.stop();
    running.links.stop();
    this.metadata.follower.stop();
    const synced = await running.replicas.stop(clean);
    if (!clean) return;
    await running.states.close();
    // Without the mark, what a power cut may take now is not trusted at the next start.
    if (!synced || !(await this.#identityStore.markClean())) this.#ports.logger.warn("shutdown-not-clean");
  }

  async #markUnsynced(): Promise<void> {
    try {
      await this.#identityStore.markUnsynced();
    } catch (error) {
      this.#ports.logger.warn("failed-sync-not-marked", { error: String(error) });
    }
  }

  async #markRecovered(): Promise<void> {
    try {
      await this.#identityStore.markRecovered();
    } catch (error) {
      this.#ports.logger.warn("recovery-not-marked", { error: String(error) });
    }
  }

  async #loadMetadata(): Promise<void> {
    while (!this.#stopped) {
      const result = await this.metadata.follower.start();
      if (result.kind === "started") return;
      if (result.reason === "stopped") throw new Error(`the metadata log cannot be read: ${result.message}`);
      this.#ports.logger.warn("metadata-not-loaded", { reason: result.reason, message: result.message });
      await new Promise<void>((resolve) => this.#ports.timers.after(startRetryMs, resolve));
    }
  }

  #compose(identity: Identity, states: ReplicaStateStore, logs: DiskLogDirectory, transport: PeerTransport): Running {
    const { rules, recoverWithoutMajority, tuning } = this.#options;
    const { clock, timers, random, logger } = this.#ports;
    const self = identity.brokerId;
    const { metadata } = this;
    const common = { clock, timers, logger };
    const onEvent = (event: BrokerEvent, count = 1, tookMs?: number) => this.#options.onEvent?.(event, count, tookMs);
    const settingsOf = partitionSettingsCache();
    const parts: { calls?: BrokerCalls; groups?: GroupCoordinator } = {};
    const calls = () => parts.calls as BrokerCalls;
    const links = new PeerLinks(
      self,
      { clock, timers, random, transport, logger, windowBytesMax: tuning?.windowBytesMax },
      this.#peerEvents(() => ({ replicas, controller, calls: calls() })),
    );
    const replicas = new ReplicaManager({
      ...common,
      self,
      random,
      rules,
      links,
      logs,
      states,
      settingsOf: (topic) => settingsOf(topic, this.image),
      cleanerConfigs: () => tuning?.compaction?.configs ?? cleanerConfigs(this.image),
      compactionSettleMs: tuning?.compaction?.settleMs,
      sendReports: (reports) => calls().sendReports(reports),
      storeReachable: () => this.metadata.storeReachable,
      onLeadership: (hosted) => parts.groups?.onLeadership(this.#options.coordinatedBy?.(hosted) ?? hosted),
      onEvent,
    });
    const controller = new Controller({
      ...common,
      self,
      rules,
      links,
      metadata,
      sealer: { seal: (broker, seq, orders, timeoutMs) => calls().seal(broker, seq, orders, timeoutMs) },
      handOver: (leader, orders) => calls().handOver(leader, orders),
      recoverWithoutMajority,
      onEvent,
    });
    const { cellNumber } = this.#options;
    const commands = new CommandGateway({ self, cellNumber, clock, timers, random, links, metadata, controller });
    const producerIds = new ProducerIdSource({ self, timers, logger, commands });
    const groups = new GroupCoordinator({
      ...common,
      self,
      commands,
      onEvent,
      image: () => this.image,
      expiry: tuning?.offsetExpiry,
    });
    parts.groups = groups;
    parts.calls = new BrokerCalls({ self, clock, timers, links, replicas, controller, commands, metadata });
    return { links, replicas, controller, commands, producerIds, groups, calls: parts.calls, states };
  }

  #peerEvents(to: () => Pick<Running, "replicas" | "controller" | "calls">): PeerEvents {
    return {
      onLinkUp: (link) => to().replicas.onLinkUp(link),
      onLinkDown: (link) => to().replicas.onLinkDown(link),
      onLivenessChanged: () => to().controller.poke(),
      onAppend: (link, entry) => to().replicas.onAppend(link, entry),
      onAck: (link, entry) => to().replicas.onAck(link, entry),
      onAttach: (link, message) => to().replicas.onAttach(link, message),
      onAttached: (link, message) => to().replicas.onAttached(link, message),
      onRefused: (link, message) => to().replicas.onRefused(link, message),
      onMetadataEntry: (seq, entry) => void this.metadata.follower.offer(seq, entry),
      onCall: (from, method, body) => to().calls.answer(from, method, body),
    };
  }

  #onDelta(delta: MetadataDelta, image: MetadataImage): void {
    const running = this.#running;
    if (running === undefined || this.#stopped) return;
    if (delta.brokersChanged.size > 0 || delta.reset) this.#setPeers();
    running.replicas.onDelta(delta, image);
    running.groups.onDelta(delta, image);
    running.controller.onDelta(delta);
  }

  #setPeers(): void {
    const endpoints = new Map<BrokerId, Endpoint>();
    for (const [id, broker] of this.image.brokers) endpoints.set(id, broker.peer);
    this.#running?.links.setPeers(endpoints);
  }
}

interface Running {
  readonly links: PeerLinks;
  readonly replicas: ReplicaManager;
  readonly controller: Controller;
  readonly commands: CommandGateway;
  readonly producerIds: ProducerIdSource;
  readonly groups: GroupCoordinator;
  readonly calls: BrokerCalls;
  readonly states: ReplicaStateStore;
}

function resetDelta(seq: number): MetadataDelta {
  return {
    seq,
    topicsChanged: new Map(),
    topicsDeleted: new Map(),
    brokersChanged: new Set(),
    apiKeysChanged: new Set(),
    logicalClustersChanged: new Set(),
    controllerChanged: true,
    cellConfigsChanged: true,
    reset: true,
  };
}
