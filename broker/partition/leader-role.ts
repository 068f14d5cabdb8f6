import type { BrokerId, LeaderEpoch, PartitionState } from "../../shared/metadata/records/record.ts";
import type { LogChunk, Offset, PartitionLogContract } from "../log/log-contract.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { AckEntry } from "../peer/peer-messages.ts";
import { commitCount, committedOffset, isQuorum } from "../replication/quorum.ts";
import { FollowerStream, type StreamSource } from "./follower-stream.ts";
import { attachRefusedMsMax, attachRetryMsMax, attachRetryMsMin, readLeaseMs, replicaLagMsMax } from "./limits.ts";
import type { PartitionError, Withdraw } from "./partition-contract.ts";
import type { ReplicaContext } from "./replica-context.ts";

/** What a leader tells the replica around it. */
export interface LeaderEvents {
  onHighWatermark(highWatermark: Offset): void;
  /** A replica refused a push because it promised a newer epoch. */
  onRefused(promisedEpoch: number): void;
}

interface CommitWaiter {
  readonly endOffset: Offset;
  /** Undefined once it was called, or the wish was withdrawn. */
  done: ((error: PartitionError | undefined) => void) | undefined;
}

/**
 * One leadership: one replica, one epoch. It pushes chunks to the other replicas, counts who holds what, and moves the
 * high watermark to the largest offset that enough voters hold in this epoch (DESIGN section 5, Commit).
 */
export class LeaderRole implements StreamSource {
  readonly epoch: LeaderEpoch;
  /** The log end when it took office: what a follower must hold to have accepted the epoch. */
  readonly endAtElection: Offset;
  highWatermark: Offset;
  /** No appends while leadership is being handed over. */
  handingOver = false;
  minInsyncReplicas: number;

  #record: PartitionState;
  readonly #log: PartitionLogContract;
  readonly #context: ReplicaContext;
  readonly #events: LeaderEvents;
  readonly #streams = new Map<BrokerId, FollowerStream>();
  #waiters: CommitWaiter[] = [];
  #waitersHead = 0;
  #withdrawn = 0;
  #ended = false;

  constructor(
    record: PartitionState,
    log: PartitionLogContract,
    context: ReplicaContext,
    options: { readonly highWatermark: Offset; readonly minInsyncReplicas: number; readonly events: LeaderEvents },
  ) {
    this.epoch = record.leaderEpoch;
    this.endAtElection = log.endOffset;
    this.highWatermark = Math.min(options.highWatermark, log.endOffset);
    this.minInsyncReplicas = options.minInsyncReplicas;
    this.#record = record;
    this.#log = log;
    this.#context = context;
    this.#events = options.events;
  }

  get endOffset(): Offset {
    return this.#log.endOffset;
  }

  get startOffset(): Offset {
    return this.#log.startOffset;
  }

  get tombstonesGoneBelow(): Offset {
    return this.#log.tombstonesGoneBelow;
  }

  /** All replicas that copy at present hold everything below: tombstones from here on are still to be copied. */
  get copiedTo(): Offset {
    let copied = this.#log.endOffset;
    for (const { status, heldOffset } of this.#streams.values())
      if (status !== "detached") copied = Math.min(copied, Math.max(0, heldOffset));
    return copied;
  }

  streams(): Iterable<FollowerStream> {
    return this.#streams.values();
  }

  stream(brokerId: BrokerId): FollowerStream | undefined {
    return this.#streams.get(brokerId);
  }

  readChunks(offset: Offset, maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]> {
    return this.#log.readChunks(offset, maxBytes);
  }

  /** Opens streams to all other replicas; called once, after the own promise and accepted epoch were written. */
  begin(): void {
    this.#fitStreams();
    this.recount();
  }

  /** Membership, or who votes, changed within the epoch: the leader counts again (model, fix 10). */
  changeMembership(record: PartitionState): void {
    this.#record = record;
    this.#fitStreams();
    for (const stream of this.#streams.values()) stream.probe();
    this.recount();
  }

  /** Pushes a chunk that was just appended to the own log. */
  push(chunk: LogChunk): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const stream of this.#streams.values()) stream.offer(chunk, nowMs);
  }

  linkUp(link: PeerLink): void {
    const stream = this.#streams.get(link.brokerId);
    if (stream === undefined) return;
    stream.attachRetryMs = attachRetryMsMin;
    this.attach(stream);
  }

  linkDown(link: PeerLink): void {
    const stream = this.#streams.get(link.brokerId);
    if (stream?.link === link) stream.detach(this.#context.clock.monotonicMs());
  }

  attach(stream: FollowerStream): void {
    const link = this.#context.links.link(stream.brokerId);
    if (link === undefined || this.#ended) return;
    this.#unroute(stream);
    stream.attaching(link, this.#context.clock.monotonicMs());
    this.#context.routeStream(link, stream.number, this);
    link.send({
      kind: "attach",
      stream: stream.number,
      topicId: this.#context.topicId,
      partition: this.#context.partition,
      epoch: this.epoch,
      endAtElection: this.endAtElection,
      logStartOffset: this.#log.startOffset,
      firstOffset: Math.min(stream.firstOffset, this.#log.startOffset),
      logEndOffset: this.#log.endOffset,
      highWatermark: this.highWatermark,
      tombstonesGoneBelow: this.#log.tombstonesGoneBelow,
      epochs: this.#log.epochs.entries.map((entry) => [entry.epoch, entry.startOffset] as const),
    });
  }

  /** Tries again what was not answered; called at a slow, constant rate while any stream is not attached. */
  retryAttaches(nowMs: number): void {
    for (const stream of this.#streams.values()) {
      if (stream.status === "attached" || stream.refusedFor > this.epoch) continue;
      if (nowMs - stream.attachSentMs < stream.attachRetryMs) continue;
      stream.attachRetryMs = Math.min(2 * stream.attachRetryMs, attachRetryMsMax);
      this.attach(stream);
    }
  }

  onAttached(link: PeerLink, streamNumber: number, endOffset: Offset): void {
    const stream = this.#streamOn(link, streamNumber);
    if (stream === undefined || stream.status !== "attaching") return;
    stream.attached(endOffset);
  }

  onAck(link: PeerLink, entry: AckEntry): void {
    const stream = this.#streamOn(link, entry.stream);
    if (stream === undefined) return;
    const counts = this.#context.rules.countsForCommit(entry);
    const before = stream.countedOffset;
    stream.acknowledged(entry, counts, this.#context.clock.monotonicMs());
    if (stream.countedOffset > before) this.recount();
    if (stream.logStartOffset < this.#log.startOffset) return;
    this.#context.onLogStartHeld();
  }

  onRefused(link: PeerLink, streamNumber: number, promisedEpoch: number): void {
    const stream = this.#streamOn(link, streamNumber);
    if (stream === undefined) return;
    if (promisedEpoch > this.epoch) {
      stream.refusedFor = promisedEpoch;
      stream.detach(this.#context.clock.monotonicMs());
      this.#events.onRefused(promisedEpoch);
      return;
    }
    const nowMs = this.#context.clock.monotonicMs();
    stream.detach(nowMs);
    stream.attachSentMs = nowMs;
    const waitMs = stream.attachRefusedMs;
    stream.attachRefusedMs = Math.min(2 * waitMs, attachRefusedMsMax);
    this.#context.timers.after(waitMs, () => {
      if (stream.status === "detached" && this.#streams.get(stream.brokerId) === stream) this.attach(stream);
    });
  }

  /** Moves the high watermark as far as the acknowledgements allow, and answers who waited for it. */
  recount(): void {
    if (this.#ended) return;
    const committed = committedOffset(this.#record, (broker) => this.#held(broker), this.minInsyncReplicas);
    const target = Math.min(committed, this.#log.endOffset);
    if (target <= this.highWatermark) return;
    this.highWatermark = target;
    this.#events.onHighWatermark(target);
    this.#answerWaiters();
  }

  whenCommitted(endOffset: Offset, done: (error: PartitionError | undefined) => void): Withdraw {
    if (endOffset <= this.highWatermark) {
      done(undefined);
      return () => undefined;
    }
    if (this.#ended) {
      done("NOT_LEADER_OR_FOLLOWER");
      return () => undefined;
    }
    const waiter: CommitWaiter = { endOffset, done };
    const last = this.#waiters[this.#waiters.length - 1];
    this.#waiters.push(waiter);
    // Appends come in order; only a duplicate of an earlier batch waits for an earlier offset.
    if (last !== undefined && last.endOffset > endOffset && this.#waitersHead < this.#waiters.length - 1) {
      this.#waiters = this.#waiters.slice(this.#waitersHead).sort((a, b) => a.endOffset - b.endOffset);
      this.#waitersHead = 0;
    }
    return () => this.#withdraw(waiter);
  }

  /** While nothing commits, requests time out and come again: those that left must not pile up. */
  #withdraw(waiter: CommitWaiter): void {
    if (waiter.done === undefined) return;
    waiter.done = undefined;
    this.#withdrawn++;
    if (this.#withdrawn < 64 || 2 * this.#withdrawn < this.#waiters.length) return;
    this.#waiters = this.#waiters.slice(this.#waitersHead).filter(({ done }) => done !== undefined);
    this.#waitersHead = 0;
    this.#withdrawn = 0;
  }

  /** Has it committed, in its own epoch, all that it held when it took office, and does a majority still follow it? */
  mayServe(): boolean {
    return this.#context.rules.mayServe(this.highWatermark, this.endAtElection) && this.#holdsReadLease();
  }

  /** Voters within the lag bound, this one included. */
  inSyncReplicas(): BrokerId[] {
    return this.#record.voters.filter((voter) => this.#isInSync(voter));
  }

  /** Fewer voters in sync than min.insync.replicas asks for (never more than there are voters). Asked at every produce. */
  lacksInSyncReplicas(): boolean {
    let missing = Math.min(this.minInsyncReplicas, this.#record.voters.length);
    for (const voter of this.#record.voters) if (this.#isInSync(voter)) missing--;
    return missing > 0;
  }

  /** Voters that lost their data and hold the whole log again (the model's PromReport). */
  recoveredVoters(): BrokerId[] {
    return this.#record.lost.filter((broker) => {
      const stream = this.#streams.get(broker);
      return stream !== undefined && stream.accepted && stream.heldOffset >= this.#log.endOffset;
    });
  }

  /** Does a commit quorum of the replicas have this log start (DeleteRecords)? */
  logStartHeldByQuorum(offset: Offset): boolean {
    const held = (broker: BrokerId) =>
      broker === this.#context.self ? this.#log.startOffset : (this.#streams.get(broker)?.logStartOffset ?? -1);
    return committedOffset(this.#record, held, commitCount(this.#record.voters.length, 1)) >= offset;
  }

  sendHighWatermarks(): void {
    for (const stream of this.#streams.values()) stream.sendHighWatermark();
  }

  /** The leadership is over: nothing is counted or answered as committed any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const stream of this.#streams.values()) {
      this.#unroute(stream);
      stream.detach(this.#context.clock.monotonicMs());
    }
    this.#streams.clear();
    const waiters = this.#waiters.slice(this.#waitersHead);
    this.#waiters = [];
    this.#waitersHead = 0;
    for (const waiter of waiters) answer(waiter, "NOT_LEADER_OR_FOLLOWER");
  }

  #unroute(stream: FollowerStream): void {
    if (stream.link !== undefined) this.#context.unrouteStream(stream.link, stream.number);
  }

  #held(broker: BrokerId): Offset {
    if (this.#record.lost.includes(broker) && !this.#context.rules.mayVote({ lost: true })) return -1;
    if (broker === this.#context.self) return this.#context.rules.ownHeldOffset(this.#log);
    return this.#streams.get(broker)?.countedOffset ?? -1;
  }

  #isInSync(voter: BrokerId): boolean {
    if (voter === this.#context.self) return true;
    const stream = this.#streams.get(voter);
    if (stream === undefined || !this.#context.links.isAlive(voter) || stream.refusedFor > this.epoch) return false;
    if (this.#record.lost.includes(voter)) return false;
    if (stream.heldOffset >= this.#log.endOffset) return true;
    return this.#context.clock.monotonicMs() - stream.caughtUpMs <= replicaLagMsMax;
  }

  #holdsReadLease(): boolean {
    const nowMs = this.#context.clock.monotonicMs();
    return isQuorum(this.#record, (broker) => {
      if (broker === this.#context.self) return true;
      const stream = this.#streams.get(broker);
      return stream !== undefined && stream.refusedFor <= this.epoch && nowMs - stream.followedMs <= readLeaseMs;
    });
  }

  #streamOn(link: PeerLink, streamNumber: number): FollowerStream | undefined {
    const stream = this.#streams.get(link.brokerId);
    return stream !== undefined && stream.link === link && stream.number === streamNumber ? stream : undefined;
  }

  #fitStreams(): void {
    const { voters, outgoing, learners } = this.#record;
    const wanted = new Set([...voters, ...outgoing, ...learners]);
    wanted.delete(this.#context.self);
    const nowMs = this.#context.clock.monotonicMs();
    for (const [broker, stream] of this.#streams) {
      if (wanted.has(broker)) continue;
      this.#unroute(stream);
      stream.detach(nowMs);
      this.#streams.delete(broker);
    }
    for (const broker of wanted) {
      if (this.#streams.has(broker)) continue;
      const stream = new FollowerStream(broker, this, nowMs);
      this.#streams.set(broker, stream);
      this.attach(stream);
    }
  }

  #answerWaiters(): void {
    while (this.#waitersHead < this.#waiters.length) {
      const waiter = this.#waiters[this.#waitersHead];
      if (waiter === undefined || waiter.endOffset > this.highWatermark) break;
      this.#waitersHead++;
      if (waiter.done === undefined) this.#withdrawn--;
      answer(waiter, undefined);
    }
    if (this.#waitersHead === this.#waiters.length || this.#waitersHead > 1_024) {
      this.#waiters = this.#waiters.slice(this.#waitersHead);
      this.#waitersHead = 0;
    }
  }
}

function answer(waiter: CommitWaiter, error: PartitionError | undefined): void {
  const { done } = waiter;
  waiter.done = undefined;
  done?.(error);
}
