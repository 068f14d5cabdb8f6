/** Controllers of one cell over one real metadata log in memory; the test plays the links and the replicas. */
import { Controller } from "../../../../broker/controller/controller.ts";
import type { SealOrder, SealReply } from "../../../../broker/controller/election-round.ts";
import { MetadataAccess } from "../../../../broker/controller/metadata-access.ts";
import type { ReplicaReport } from "../../../../broker/partition/replica-context.ts";
import type { PeerLinks } from "../../../../broker/peer/peer-links.ts";
import { type ReplicationRules, soundRules } from "../../../../broker/replication/replication-rules.ts";
import { MemoryItemStore } from "../../../../shared/item-store/memory-item-store.ts";
import { MetadataFollower } from "../../../../shared/metadata/follower/metadata-follower.ts";
import type { MetadataRecord, PartitionState } from "../../../../shared/metadata/records/record.ts";
import { MemoryObjectStore } from "../../../../shared/object-store/memory-object-store.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { FaultyItemStore } from "../../shared/metadata/log/faulty-item-store.ts";
import { seededRandom } from "../../shared/metadata/log/seeded-random.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";
import { partitionState } from "../../shared/metadata/records/partition-state.ts";

export const topicId = "00112233445566778899aabbccddeeff";
export const key = { topicId, partition: 0 };

export interface CellOptions {
  readonly brokers?: readonly number[];
  /** Brokers whose controllers run. */
  readonly controllers?: readonly number[];
  readonly record?: Partial<PartitionState>;
  readonly recoverWithoutMajority?: boolean;
  /** Brokers that are about to stop. */
  readonly draining?: readonly number[];
  readonly rules?: Partial<ReplicationRules>;
}

interface Member {
  readonly controller: Controller;
  readonly follower: MetadataFollower;
  readonly metadata: MetadataAccess;
  readonly store: FaultyItemStore;
}

/** What a replica answers, unless the test says otherwise. */
export const usualAnswer = { acceptedEpoch: 1, endOffset: 10, logStartOffset: 0, lost: false };

export class ControllerCell {
  readonly time = new VirtualTime();
  readonly brokers: Set<number>;
  readonly alive: Set<number>;
  readonly draining: Set<number>;
  /** Pairs of living brokers that do not hear each other, as `1-2`. */
  readonly broken = new Set<string>();
  readonly storeless = new Set<number>();
  readonly members = new Map<number, Member>();
  /** Seal calls, as `controller asks broker for epochs`. */
  readonly seals: string[] = [];
  readonly handOvers: string[] = [];
  onSeal: (broker: number, order: SealOrder) => SealReply[number] | Promise<SealReply[number]> = () => usualAnswer;
  readonly #table = new MemoryItemStore();
  readonly #objects = new MemoryObjectStore();
  readonly #random = seededRandom(1);
  readonly #options: CellOptions;

  static async start(options: CellOptions = {}): Promise<ControllerCell> {
    const cell = new ControllerCell(options);
    const first = await cell.#join(0, false);
    await cell.append(first, [
      ...[...cell.brokers].map((brokerId) => registration(brokerId)),
      { type: "logical-cluster-upserted", lkc: "lkc-abc", name: "n", createdMs: 0 },
      { type: "topic-upserted", topicId, lkc: "lkc-abc", name: "t", createdMs: 0, configs: {} },
      { type: "partitions-upserted", topicId, partitions: [partitionState(options.record)] },
    ]);
    first.follower.stop();
    cell.members.delete(0);
    for (const id of options.controllers ?? [1]) await cell.#join(id, true);
    return cell;
  }

  private constructor(options: CellOptions) {
    this.#options = options;
    this.brokers = new Set(options.brokers ?? [1, 2, 3]);
    this.alive = new Set(this.brokers);
    this.draining = new Set(options.draining);
  }

  async #join(id: number, controls: boolean): Promise<Member> {
    const { time } = this;
    const store = new FaultyItemStore(this.#table, time, this.#random);
    const follower = new MetadataFollower({
      cell: "cell",
      itemStore: store,
      objectStore: this.#objects,
      clock: time,
      timers: time,
      random: this.#random,
    });
    await time.until(follower.start());
    const metadata = new MetadataAccess(follower, () => []);
    const controller = new Controller({
      self: id,
      clock: time,
      timers: time,
      logger: silentLogger,
      rules: { ...soundRules, ...this.#options.rules },
      links: this.#linksOf(id),
      metadata,
      sealer: { seal: (broker, _seq, orders) => this.#seal(id, broker, orders) },
      handOver: (leader, orders) => {
        this.handOvers.push(`${leader} to ${orders.map(({ target }) => target).join(", ")}`);
        return Promise.resolve(orders);
      },
      recoverWithoutMajority: this.#options.recoverWithoutMajority ?? false,
      onEvent: () => undefined,
    });
    const member = { controller, follower, metadata, store };
    this.members.set(id, member);
    follower.subscribe((delta) => controller.onDelta(delta));
    if (controls) controller.start();
    return member;
  }

  #linksOf(self: number): PeerLinks {
    const hears = (from: number, to: number) =>
      from === to || (this.alive.has(to) && !this.broken.has(`${Math.min(from, to)}-${Math.max(from, to)}`));
    const links = {
      alive: () => [...this.brokers].filter((broker) => hears(self, broker)),
      isAlive: (broker: number) => hears(self, broker),
      isDraining: (broker: number) => this.draining.has(broker),
      link: (broker: number) =>
        hears(self, broker)
          ? {
              peerHears: new Set([...this.brokers].filter((other) => other !== broker && hears(broker, other))),
              peerStoreReachable: !this.storeless.has(broker),
            }
          : undefined,
    };
    return links as unknown as PeerLinks;
  }

  async #seal(controller: number, broker: number, orders: readonly SealOrder[]): Promise<SealReply> {
    this.seals.push(`${controller} asks ${broker} for ${orders.map(({ epoch }) => epoch).join(", ")}`);
    return Promise.all(orders.map(async (order) => this.onSeal(broker, order)));
  }

  async append(member: Member, records: readonly MetadataRecord[]): Promise<void> {
    const result = await this.time.until(member.follower.propose(() => ({ records, reply: undefined })));
    if (result.kind !== "done") throw new Error(`not appended: ${result.kind}`);
  }

  member(id: number): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`broker ${id} has no controller`);
    return member;
  }

  get one(): Member {
    return this.member([...this.members.keys()][0] ?? 1);
  }

  /** The record of the partition, as broker `id` knows it. */
  record(id = [...this.members.keys()][0] ?? 1): PartitionState {
    const record = this.member(id).metadata.image.topics.get(topicId)?.partitions[0];
    if (record === undefined) throw new Error("the partition is gone");
    return record;
  }

  /** Somebody else changes the partition. */
  change(change: Partial<PartitionState>): Promise<void> {
    const record = this.record();
    const state = { ...record, partitionEpoch: record.partitionEpoch + 1, ...change };
    return this.append(this.one, [{ type: "partitions-upserted", topicId, partitions: [state] }]);
  }

  report(change: Partial<ReplicaReport> = {}): void {
    const { partitionEpoch } = this.record();
    this.one.controller.onReports([{ ...key, partitionEpoch, reason: "cannot-lead", brokers: [], ...change }]);
  }

  /** A broker dies; if its controller runs here, that ends. */
  die(broker: number): void {
    this.alive.delete(broker);
    const member = this.members.get(broker);
    member?.controller.stop();
    member?.follower.stop();
    for (const { controller } of this.members.values()) controller.poke();
  }

  inOffice(): number[] {
    return [...this.members].filter(([, { controller }]) => controller.inOffice).map(([id]) => id);
  }
}

function registration(brokerId: number): MetadataRecord {
  return {
    type: "broker-registered",
    brokerId,
    storageId: `storage-${brokerId}`,
    incarnationId: `run-${brokerId}`,
    zone: "a",
    peer: { host: `broker-${brokerId}`, port: 9000 },
    listeners: {},
    featureLevelMax: 1,
    suspect: false,
  };
}
