import { makeLogEnvironment } from "../../../broker/log/log-environment.ts";
import { PartitionLog } from "../../../broker/log/partition-log.ts";
import { cleanerConfigs, partitionSettings } from "../../../broker/partition/partition-settings.ts";
import { ReplicaManager } from "../../../broker/partition/replica-manager.ts";
import type { PeerLink } from "../../../broker/peer/peer-link.ts";
import { decodeAcks, decodeAppend, decodeJson, MessageType } from "../../../broker/peer/peer-messages.ts";
import { ReplicaStateStore } from "../../../broker/replication/replica-state-store.ts";
import { soundRules } from "../../../broker/replication/replication-rules.ts";
import { decodeRecords, encodeBatch } from "../../../shared/kafka/records/record.ts";
import { wholeBatches } from "../../../shared/kafka/records/record-batch.ts";
import { ImageState } from "../../../shared/metadata/image/image-state.ts";
import type { MetadataDelta } from "../../../shared/metadata/image/metadata-image.ts";
import type { PartitionState } from "../../../shared/metadata/records/record.ts";
import { MemoryDisk } from "../../../shared/ports/memory-disk.ts";
import { systemRandom } from "../../../shared/ports/random.ts";
import { silentLogger } from "../../../shared/telemetry/logger.ts";
import type { LinkOwner, ScenarioNetwork } from "./scenario-network.ts";
import type { ScenarioTime } from "./scenario-time.ts";

export const topicId = "00112233445566778899aabbccddeeff";

export interface BrokerPorts {
  readonly time: ScenarioTime;
  readonly network: ScenarioNetwork;
  readonly minInsyncReplicas: number;
  /** Something happened that nobody asked for. */
  tell(line: string): void;
}

/** A disk on which the calls for the log, but not those for the replica's state, end when a command lets them. */
export class ScenarioDisk {
  readonly disk: MemoryDisk;
  #held: (() => void)[] | undefined;

  constructor() {
    this.disk = new MemoryDisk({
      schedule: (run, delayMs) => {
        if (delayMs > 0 && this.#held !== undefined) this.#held.push(run);
        else queueMicrotask(run);
      },
    });
    this.disk.fault = ({ path }) =>
      this.#held !== undefined && path.startsWith("data/log") ? { kind: "delay", ms: 1 } : undefined;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) run();
  }
}

/** One run of a broker: real replicas, real log, real state journal; no controller. */
export class ScenarioBroker implements LinkOwner {
  readonly id: number;
  isDead = false;
  readonly #ports: BrokerPorts;
  readonly #image = ImageState.empty("cell");
  readonly #manager: ReplicaManager;

  static async start(
    id: number,
    disk: MemoryDisk,
    record: PartitionState,
    ports: BrokerPorts,
  ): Promise<ScenarioBroker> {
    const process = disk.attach();
    const states = await ReplicaStateStore.open(process, "data", { suspect: false });
    const broker: ScenarioBroker = new ScenarioBroker(id, record, ports, (self) => {
      const environment = makeLogEnvironment(process, ports.time);
      return new ReplicaManager({
        self: id,
        clock: ports.time,
        timers: ports.time.timersOf(() => self.isDead),
        random: systemRandom,
        logger: silentLogger,
        rules: soundRules,
        links: { link: (peer) => ports.network.link(self, peer), isAlive: (peer) => self.#hears(peer) },
        logs: {
          standsStillSinceMs: undefined,
          open: (_topic, _partition, settings) =>
            PartitionLog.open(environment, "data/log", { config: settings.log, pageCacheSurvived: true }),
          list: () => Promise.resolve([]),
          remove: () => Promise.resolve(),
        },
        states,
        cleanerConfigs: () => cleanerConfigs(self.#image),
        settingsOf: (topic) => partitionSettings(topic, self.#image),
        sendReports: (reports) => {
          for (const { reason, partitionEpoch, brokers } of reports) {
            const about = brokers.length === 0 ? "" : ` of ${brokers.join(", ")}`;
            ports.tell(`${id} reports "${reason}"${about} under record ${partitionEpoch}`);
          }
        },
        storeReachable: () => true,
        onLeadership: () => undefined,
        onEvent: () => undefined,
      });
    });
    await broker.#manager.start(broker.#image);
    await broker.#manager.allOpened;
    return broker;
  }

  private constructor(
    id: number,
    record: PartitionState,
    ports: BrokerPorts,
    makeManager: (self: ScenarioBroker) => ReplicaManager,
  ) {
    this.id = id;
    this.#ports = ports;
    this.#manager = makeManager(this);
    this.#setRecord(record);
  }

  #setRecord(record: PartitionState): void {
    const configs = { "min.insync.replicas": String(this.#ports.minInsyncReplicas) };
    this.#image.setTopic({ topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs, partitions: [record] });
  }

  #hears(peer: number): boolean {
    return this.#ports.network.link(this, peer) !== undefined;
  }

  /** The broker reads the record in the metadata log. */
  apply(record: PartitionState): void {
    this.#setRecord(record);
    const delta: MetadataDelta = {
      seq: 0,
      topicsChanged: new Map([[topicId, { partitions: new Set([0]), configs: false }]]),
      topicsDeleted: new Map(),
      brokersChanged: new Set(),
      apiKeysChanged: new Set(),
      logicalClustersChanged: new Set(),
      controllerChanged: false,
      cellConfigsChanged: false,
      reset: false,
    };
    this.#manager.onDelta(delta, this.#image);
  }

  seal(epoch: number) {
    return this.#manager.seal(topicId, 0, epoch);
  }

  linkUp(link: PeerLink): void {
    this.#manager.onLinkUp(link);
  }

  linkDown(link: PeerLink): void {
    this.#manager.onLinkDown(link);
  }

  receive(link: PeerLink, message: Buffer): void {
    if (message[0] === MessageType.append) {
      for (const entry of decodeAppend(message)) this.#manager.onAppend(link, entry);
      return;
    }
    if (message[0] === MessageType.ack) {
      for (const entry of decodeAcks(message)) this.#manager.onAck(link, entry);
      return;
    }
    const json = decodeJson(message);
    if (json.kind === "attach") this.#manager.onAttach(link, json);
    if (json.kind === "attached") this.#manager.onAttached(link, json);
    if (json.kind === "refused") this.#manager.onRefused(link, json);
  }

  /** A client produces one record a value with acks=all, and waits for the outcome. */
  produce(value: string): string {
    const hosted = this.#manager.find(topicId, 0);
    if (hosted === undefined) return `${this.id} has no replica`;
    const records = encodeBatch({ records: [{ timestampMs: this.#ports.time.wallMs(), value: Buffer.from(value) }] });
    const result = hosted.append(records, { requiredAcks: -1 });
    if (result.kind === "failed") return `${this.id} refuses ${value}: ${result.error}`;
    hosted.whenCommitted(result.endOffset, (error) =>
      this.#ports.tell(`${this.id} answers ${value}: ${error ?? "committed"}`),
    );
    return `${this.id} appended ${value} at ${result.baseOffset}`;
  }

  /** What a consumer that knows no leader epoch is served. */
  async fetch(): Promise<string> {
    const hosted = this.#manager.find(topicId, 0);
    const offsets = hosted?.offsets(-1);
    if (hosted === undefined || offsets === undefined) return `${this.id} has no replica`;
    if ("kind" in offsets) return `${this.id} serves nothing: ${offsets.error}`;
    const values = await this.#values(offsets.logStartOffset, offsets.highWatermark);
    return `${this.id} serves, high watermark ${offsets.highWatermark}: ${values}`;
  }

  async describe(): Promise<string> {
    const replica = this.#manager.replica(topicId, 0);
    if (replica === undefined) return `${this.id}: no replica`;
    const { log, leader, promisedEpoch, acceptedEpoch, highWatermark } = replica;
    const role = leader === undefined ? "" : `leads ${leader.epoch}, `;
    const written = log.writtenOffset < log.endOffset ? `, written to ${log.writtenOffset}` : "";
    const values = await this.#values(log.startOffset, log.endOffset);
    return `${this.id}: ${role}promised ${promisedEpoch}, accepted ${acceptedEpoch}, high watermark ${highWatermark}, log ${values}${written}`;
  }

  /** Records as `offset:value@epoch`. */
  async #values(from: number, to: number): Promise<string> {
    const { log } = this.#manager.replica(topicId, 0) ?? {};
    const values: string[] = [];
    const buffers = log === undefined || from === to ? [] : await log.read(from, to, 1_000_000, true);
    for (const buffer of buffers) {
      for (const batch of wholeBatches(buffer)) {
        const epoch = batch.partitionLeaderEpoch;
        for (const { offset, value } of decodeRecords(batch)) values.push(`${offset}:${value?.toString()}@${epoch}`);
      }
    }
    return values.length === 0 ? "empty" : values.join(" ");
  }

  /** The process dies: nothing of it happens any more. */
  die(): void {
    this.isDead = true;
  }
}
