/** One replica, broker 1 unless said otherwise, on a log on a memory disk; the test plays everybody else. */
import type { LogChunk } from "../../../../broker/log/log-contract.ts";
import { makeLogEnvironment } from "../../../../broker/log/log-environment.ts";
import { PartitionLog } from "../../../../broker/log/partition-log.ts";
import { Replica } from "../../../../broker/partition/replica.ts";
import type { ReplicaContext, StreamOwner } from "../../../../broker/partition/replica-context.ts";
import { PeerLink } from "../../../../broker/peer/peer-link.ts";
import { type AckEntry, type AttachMessage, encodeAcks } from "../../../../broker/peer/peer-messages.ts";
import type { ReplicaState } from "../../../../broker/replication/replica-state-store.ts";
import { type ReplicationRules, soundRules } from "../../../../broker/replication/replication-rules.ts";
import type { PartitionState } from "../../../../shared/metadata/records/record.ts";
import { MemoryDisk } from "../../../../shared/ports/memory-disk.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";
import { ManualTime } from "../handlers/manual-time.ts";
import { chunkAt, testConfig } from "../log/log-fixture.ts";
import { describeMessage } from "../peer/described-message.ts";
import { FakeConnection } from "../peer/fake-transport.ts";

export const topicId = "00112233445566778899aabbccddeeff";

/** The record of epoch 1, led by broker 1, but for what is said otherwise. */
export function recordOf(change: Partial<PartitionState> = {}): PartitionState {
  const leaderEpoch = change.leaderEpoch ?? 1;
  return {
    partition: 0,
    partitionEpoch: leaderEpoch,
    voters: [1, 2, 3],
    outgoing: [],
    learners: [],
    lost: [],
    leader: 1,
    leaderEpoch,
    intendedEpoch: leaderEpoch,
    logStartOffset: 0,
    ...change,
  };
}

/** An attach of the leader of epoch 1 with an empty log, but for what is said otherwise. */
export function attachOf(change: Partial<AttachMessage> = {}): AttachMessage {
  const epoch = change.epoch ?? 1;
  const logEndOffset = change.logEndOffset ?? 0;
  const logStartOffset = change.logStartOffset ?? 0;
  return {
    kind: "attach",
    stream: 1,
    topicId,
    partition: 0,
    epoch,
    endAtElection: logEndOffset,
    logStartOffset,
    firstOffset: logStartOffset,
    logEndOffset,
    highWatermark: 0,
    epochs: [],
    ...change,
  };
}

export interface FixtureOptions {
  readonly self?: number;
  readonly record?: PartitionState;
  readonly state?: ReplicaState;
  readonly rules?: Partial<ReplicationRules>;
  readonly minInsyncReplicas?: number;
  /** What is in the log, by epoch: `[[1, 3], [2, 5]]` is offsets 0 to 2 of epoch 1, then up to 4 of epoch 2. */
  readonly log?: readonly (readonly [epoch: number, end: number])[];
}

/** The link to one peer, seen from the peer. */
export interface Peer {
  readonly link: PeerLink;
  readonly connection: FakeConnection;
}

export class ReplicaFixture {
  readonly time = new ManualTime();
  readonly disk: MemoryDisk;
  readonly replica: Replica;
  readonly peers = new Map<number, Peer>();
  readonly saved: ReplicaState[] = [];
  readonly truncations: (readonly [number, number])[] = [];
  readonly restarts: (readonly [end: number, reason: string])[] = [];
  /** How often it asked to be asked for a report. */
  attentions = 0;
  changes = 0;
  alive: (broker: number) => boolean = (broker) => this.peers.has(broker);
  readonly #self: number;
  readonly #streams = new Map<PeerLink, Map<number, StreamOwner>>();
  #heldDisk: (() => void)[] | undefined;
  #heldSaves: (() => void)[] | undefined;
  #saveError: Error | undefined;

  static async open(options: FixtureOptions = {}): Promise<ReplicaFixture> {
    let fixture: ReplicaFixture | undefined;
    const disk = new MemoryDisk({
      schedule: (run) => {
        const held = fixture?.heldDisk;
        if (held === undefined) queueMicrotask(run);
        else held.push(run);
      },
    });
    const openLog = (writtenOffset = 0) =>
      PartitionLog.open(makeLogEnvironment(disk, new ManualTime()), "/log", {
        config: testConfig,
        pageCacheSurvived: true,
        writtenOffset,
      });
    const log = await openLog();
    let at = 0;
    for (const [epoch, end] of options.log ?? []) for (; at < end; at++) log.append(chunkAt(at, { epoch }));
    fixture = new ReplicaFixture(disk, log, openLog, options);
    await fixture.settle();
    return fixture;
  }

  private constructor(
    disk: MemoryDisk,
    log: PartitionLog,
    openLog: (writtenOffset: number) => Promise<PartitionLog>,
    options: FixtureOptions,
  ) {
    this.disk = disk;
    this.#self = options.self ?? 1;
    const record = options.record ?? recordOf();
    const state = options.state ?? { promisedEpoch: 0, acceptedEpoch: 0 };
    this.replica = new Replica(record, log, state, this.#context({ ...soundRules, ...options.rules }), {
      reopenLog: openLog,
      onChanged: () => {
        this.changes += 1;
      },
      minInsyncReplicas: () => options.minInsyncReplicas ?? 1,
    });
  }

  #context(rules: ReplicationRules): ReplicaContext {
    return {
      self: this.#self,
      topicId,
      partition: 0,
      clock: this.time,
      timers: this.time,
      logger: silentLogger,
      rules,
      links: { link: (id) => this.peers.get(id)?.link, isAlive: (id) => this.alive(id) },
      saveState: (state) => this.#save(state),
      routeStream: (link, stream, owner) => {
        const streams = this.#streams.get(link) ?? new Map<number, StreamOwner>();
        this.#streams.set(link, streams.set(stream, owner));
      },
      unrouteStream: (link, stream) => this.#streams.get(link)?.delete(stream),
      attention: () => {
        this.attentions += 1;
      },
      highWatermarkMoved: () => undefined,
      onTruncated: (from, to) => void this.truncations.push([from, to]),
      onRestarted: (end, reason) => void this.restarts.push([end, reason]),
      onLogStartHeld: () => undefined,
    };
  }

  get log() {
    return this.replica.log;
  }

  get leader() {
    const { leader } = this.replica;
    if (leader === undefined) throw new Error("it does not lead");
    return leader;
  }

  get heldDisk(): (() => void)[] | undefined {
    return this.#heldDisk;
  }

  /** From here on no call of the disk ends, until `releaseDisk`. */
  holdDisk(): void {
    this.#heldDisk ??= [];
  }

  async releaseDisk(): Promise<void> {
    const held = this.#heldDisk ?? [];
    this.#heldDisk = undefined;
    for (const run of held) run();
    await this.settle();
  }

  /** From here on no save of the replica's state ends, until `releaseSaves`. */
  holdSaves(): void {
    this.#heldSaves ??= [];
  }

  async releaseSaves(): Promise<void> {
    const held = this.#heldSaves ?? [];
    this.#heldSaves = undefined;
    for (const run of held) run();
    await this.settle();
  }

  failSaves(error: Error | undefined): void {
    this.#saveError = error;
  }

  #save(state: ReplicaState): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => {
        if (this.#saveError !== undefined) {
          reject(this.#saveError);
          return;
        }
        this.saved.push(state);
        resolve();
      };
      if (this.#heldSaves === undefined) run();
      else this.#heldSaves.push(run);
    });
  }

  /** The next writes fail as the system says, and so does everything until the log is opened again. */
  failWrites(code: string | undefined): void {
    this.disk.fault = ({ kind }) => (kind === "write" && code !== undefined ? { kind: "error", code } : undefined);
  }

  /** A link to a peer opens; an older one breaks first. */
  connect(broker: number): Peer {
    this.disconnect(broker);
    const connection = new FakeConnection(broker);
    const link = new PeerLink(connection, { clock: this.time, timers: this.time });
    const peer = { link, connection };
    this.peers.set(broker, peer);
    this.replica.linkUp(link);
    return peer;
  }

  disconnect(broker: number): void {
    const peer = this.peers.get(broker);
    if (peer === undefined) return;
    this.peers.delete(broker);
    peer.link.onClosed("reset");
    this.replica.linkDown(peer.link);
  }

  link(broker: number): PeerLink {
    return (this.peers.get(broker) ?? this.connect(broker)).link;
  }

  /** What was sent to the peer since this was asked last. */
  async said(broker: number): Promise<string[]> {
    await this.settle();
    return (this.peers.get(broker)?.connection.sent.splice(0) ?? []).flatMap(describeMessage);
  }

  /** The leader of the replica attaches from broker 2, and pushes all that it says it holds. */
  async follow(message: Partial<AttachMessage> = {}): Promise<void> {
    this.replica.onAttach(this.link(2), attachOf(message));
    await this.settle();
  }

  push(stream: number, ...chunks: LogChunk[]): void {
    const end = chunks.at(-1)?.endOffset ?? 0;
    this.replica.onAppend(this.link(2), { stream, highWatermark: 0, logStartOffset: 0, chunks });
    if (end > this.log.endOffset) throw new Error("the replica did not take the chunk");
  }

  /** A follower of this leader answers on its newest stream. */
  attached(broker: number, endOffset: number): void {
    const link = this.link(broker);
    const stream = this.leader.stream(broker)?.number ?? 0;
    this.#streams.get(link)?.get(stream)?.onAttached(link, stream, endOffset);
  }

  acks(broker: number, heldOffset: number, change: Partial<AckEntry> = {}): void {
    const link = this.link(broker);
    const stream = change.stream ?? this.leader.stream(broker)?.number ?? 0;
    const entry = { stream, heldOffset, logStartOffset: 0, accepted: true, votes: true, ...change };
    if (encodeAcks([entry]).length === 0) throw new Error("an acknowledgement has bytes");
    this.#streams.get(link)?.get(stream)?.onAck(link, entry);
  }

  refuses(broker: number, promisedEpoch: number): void {
    const link = this.link(broker);
    const stream = this.leader.stream(broker)?.number ?? 0;
    this.#streams.get(link)?.get(stream)?.onRefused(link, stream, promisedEpoch);
  }

  /** The leader appends `count` records, one chunk each, and pushes them. */
  append(count = 1): void {
    for (let n = 0; n < count; n++) {
      const chunk = chunkAt(this.log.endOffset, { epoch: this.leader.epoch });
      this.log.append(chunk);
      this.leader.push(chunk);
    }
  }

  /** Lets everything happen that needs neither time nor what is held. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn++) await this.time.settle();
  }
}

/** A replica that leads epoch 1 with links to brokers 2 and 3, both attached at its log end and with all acknowledged. */
export async function leading(options: FixtureOptions = {}): Promise<ReplicaFixture> {
  const fixture = await ReplicaFixture.open(options);
  fixture.connect(2);
  fixture.connect(3);
  fixture.replica.considerOffice();
  await fixture.settle();
  for (const broker of [2, 3]) {
    fixture.attached(broker, fixture.log.endOffset);
    fixture.acks(broker, fixture.log.endOffset);
    await fixture.said(broker);
  }
  return fixture;
}
