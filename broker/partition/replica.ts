import type { LeaderEpoch, PartitionState } from "../../shared/metadata/records/record.ts";
import type { Offset, PartitionLogContract } from "../log/log-contract.ts";
import { type Obstacle, OpenObstacle } from "../log/obstacle.ts";
import type { PeerLink } from "../peer/peer-link.ts";
import type { AckEntry, AppendEntry, AttachMessage } from "../peer/peer-messages.ts";
import type { ReplicaState } from "../replication/replica-state-store.ts";
import { LeaderRole } from "./leader-role.ts";
import { diskStillMsMax, logReopenMs } from "./limits.ts";
import { othersCanElect } from "./others-can-elect.ts";
import { reconcileLog } from "./reconcile-log.ts";
import type { ReplicaContext, ReplicaReport } from "./replica-context.ts";
import type { FollowerRole, Role } from "./replica-role.ts";
import type { SealAnswer } from "./seal-answer.ts";

/**
 * One replica of one partition on this broker: its log, its durable promises, and the role that these allow.
 *
 *            record names it, mayTakeOffice                    promise and accepted epoch written
 *   idle ---------------------------------> taking-office ---------------------------------------> leader
 *    ^  \                                        |  |                                                 |
 *    |   \-- attach (epoch >= promised) --> follower <-- attach of a newer epoch --------------------/
 *    |                                           |
 *    +---- sealed, link down, log failed, newer record: from every state ------------------------------
 *
 * Order everywhere: log, then accepted epoch, then acknowledgement. A promise is in force from the moment it is made,
 * and is answered to others only when it is written.
 */
export class Replica {
  log: PartitionLogContract;
  /** Largest offset known to be committed and held here; falls only when the log lost its end in a failure. */
  highWatermark: Offset = 0;
  record: PartitionState;

  readonly context: ReplicaContext;
  #role: Role = { kind: "idle" };
  #promisedEpoch: number;
  #acceptedEpoch: number;
  #writtenState: ReplicaState;
  #refusedFor = 0;
  #accepting = false;
  #closed = false;
  #reopenPlanned = false;
  /** Work that changes the log (reconcile, take office, reopen) is done one after the other. */
  #serial: Promise<void> = Promise.resolve();
  readonly #reopenLog: (writtenOffset: Offset) => Promise<PartitionLogContract>;
  readonly #onChanged: () => void;
  readonly #minInsyncReplicas: () => number;

  constructor(
    record: PartitionState,
    log: PartitionLogContract,
    state: ReplicaState,
    context: ReplicaContext,
    options: {
      /** Rejects when the log does not hold any more what was written of it, and so may have been acknowledged. */
      readonly reopenLog: (writtenOffset: Offset) => Promise<PartitionLogContract>;
      /** High watermark or role changed. */
      readonly onChanged: () => void;
      readonly minInsyncReplicas: () => number;
    },
  ) {
    this.record = record;
    this.log = log;
    this.context = context;
    // Whoever was elected was promised to. The metadata log remembers it for a replica that was away or is made anew.
    this.#promisedEpoch = context.rules.promiseWhenElected(state.promisedEpoch, record.leaderEpoch);
    this.#acceptedEpoch = state.acceptedEpoch;
    this.#writtenState = state;
    this.#reopenLog = options.reopenLog;
    this.#onChanged = options.onChanged;
    this.#minInsyncReplicas = options.minInsyncReplicas;
    log.onProgress(() => this.#onLogProgress());
  }

  get promisedEpoch(): number {
    return this.#promisedEpoch;
  }

  get acceptedEpoch(): number {
    return this.#acceptedEpoch;
  }

  /** The leadership that this replica holds, if it holds one. */
  get leader(): LeaderRole | undefined {
    return this.#role.kind === "leader" ? this.#role.leader : undefined;
  }

  /** The leadership that this replica is about to begin. */
  get appointment(): Obstacle | undefined {
    return this.#role.kind === "taking-office" ? this.#role.appointment : undefined;
  }

  get isLost(): boolean {
    return this.record.lost.includes(this.context.self);
  }

  /** The newest record of the partition. */
  onRecord(record: PartitionState): void {
    const previous = this.record;
    const wasLost = this.isLost;
    this.record = record;
    this.#promise(this.context.rules.promiseWhenElected(this.#promisedEpoch, record.leaderEpoch));
    const role = this.#role;
    if (role.kind === "leader") {
      if (record.leaderEpoch > role.leader.epoch) this.#become({ kind: "idle" });
      else if (record.partitionEpoch !== previous.partitionEpoch) role.leader.changeMembership(record);
    }
    // Its vote counts again; the leader may have nothing left to push that would ask for an acknowledgement.
    if (role.kind === "follower" && wasLost && !this.isLost) this.#acknowledge(role);
    this.considerOffice();
  }

  /**
   * Takes part in no older epoch from here on. Whoever leads one is told at once, so that it reports it and answers no
   * reads on the strength of this replica any more.
   */
  #promise(epoch: number): void {
    if (epoch <= this.#promisedEpoch) return;
    this.#promisedEpoch = epoch;
    const role = this.#role;
    if (role.kind === "leader" || role.kind === "taking-office") this.#become({ kind: "idle" });
    // It stays a follower: what it still writes is not acknowledged, what comes is refused.
    if (role.kind === "follower" && !this.#mayAcknowledge(role)) this.#refuse(role.link, role.stream);
  }

  #mayAcknowledge({ epoch: streamEpoch, reconciled }: FollowerRole): boolean {
    return this.context.rules.mayAcknowledge({ streamEpoch, promisedEpoch: this.#promisedEpoch, reconciled });
  }

  /** Takes office if the newest record names this replica and its own state allows it; `sinceMs`: named so long already. */
  considerOffice(sinceMs = this.context.clock.monotonicMs()): void {
    const { leader, leaderEpoch } = this.record;
    if (this.#closed || leader !== this.context.self) return;
    const role = this.#role;
    if (role.kind === "leader" && role.leader.epoch >= leaderEpoch) return;
    if (role.kind === "taking-office" && role.epoch >= leaderEpoch) return;
    const allowed = this.context.rules.mayTakeOffice({
      epoch: leaderEpoch,
      acceptedEpoch: this.#acceptedEpoch,
      lost: this.isLost,
    });
    if (!allowed || this.#promisedEpoch > leaderEpoch || this.log.failure !== undefined) {
      this.context.attention();
      return;
    }
    this.#promisedEpoch = leaderEpoch;
    const appointment = new OpenObstacle(sinceMs);
    const begunMs = this.context.clock.monotonicMs();
    const taking: Role = { kind: "taking-office", epoch: leaderEpoch, appointment, begunMs };
    this.#become(taking);
    this.#enqueue(() => this.#takeOffice(taking));
  }

  async #takeOffice(taking: Role & { kind: "taking-office" }): Promise<void> {
    // A newer record may have come meanwhile: the leadership of its epoch is not this replica's to take.
    const current = () =>
      this.#role === taking &&
      this.#promisedEpoch === taking.epoch &&
      this.record.leaderEpoch === taking.epoch &&
      !this.#closed;
    if (!current()) return;
    // Waits for writes under way: a leader's log end at its election is written.
    await this.log.truncate(this.log.endOffset);
    if (!current()) return;
    const acceptedEpoch = this.context.rules.acceptedOnOffice(this.#acceptedEpoch, taking.epoch);
    await this.#save({ promisedEpoch: taking.epoch, acceptedEpoch });
    if (!current()) return;
    this.#acceptedEpoch = acceptedEpoch;
    if (this.record.logStartOffset > this.log.startOffset)
      await this.log.raiseStart(Math.min(this.record.logStartOffset, this.log.endOffset));
    if (!current() || this.log.failure !== undefined) {
      if (current()) this.#become({ kind: "idle" });
      this.context.attention();
      return;
    }
    // It counts for itself: what an earlier epoch committed may lack a quorum after a recovery without a majority.
    const leader = new LeaderRole(this.record, this.log, this.context, {
      highWatermark: this.log.startOffset,
      minInsyncReplicas: this.#minInsyncReplicas(),
      events: {
        onHighWatermark: (highWatermark) => this.#onLeaderHighWatermark(highWatermark),
        onRefused: (promisedEpoch) => this.#onLeaderRefused(promisedEpoch),
      },
    });
    this.#refusedFor = 0;
    this.#become({ kind: "leader", leader });
    this.context.logger.debug("leader", { epoch: taking.epoch, endOffset: leader.endAtElection });
    leader.begin();
    this.#onChanged();
  }

  /**
   * Promises never to take part in an epoch older than `epoch`, and answers with what is written (DESIGN section 5,
   * Failover). Sealing again for the same epoch is answered again.
   */
  async seal(epoch: LeaderEpoch): Promise<SealAnswer> {
    if (this.#promisedEpoch > epoch) return { kind: "refused", promisedEpoch: this.#promisedEpoch };
    const promise = this.context.rules.promiseWhenSealed(this.#promisedEpoch, epoch);
    if (this.#role.kind === "leader" && !this.context.rules.stopsWhenSealed()) this.#promisedEpoch = promise;
    else this.#promise(promise);
    try {
      await this.#save({ promisedEpoch: this.#promisedEpoch, acceptedEpoch: this.#acceptedEpoch });
    } catch {
      return { kind: "failed" };
    }
    // Elected with a log that takes no writes it could not take office, and would be elected again and again.
    if (this.log.failure !== undefined || this.#closed) return { kind: "failed" };
    if (this.#promisedEpoch > Math.max(epoch, promise)) return { kind: "refused", promisedEpoch: this.#promisedEpoch };
    return {
      kind: "sealed",
      acceptedEpoch: this.#acceptedEpoch,
      endOffset: this.log.writtenOffset,
      logStartOffset: this.log.startOffset,
      lost: !this.context.rules.mayVote({ lost: this.isLost }),
    };
  }

  /** A leader opens a stream: promise its epoch, make the own log a prefix of its log, then tell where to push on. */
  onAttach(link: PeerLink, message: AttachMessage): "taken" | "refused" {
    const role = this.#role;
    const leads = role.kind === "leader" && role.leader.epoch === message.epoch;
    if (message.epoch < this.#promisedEpoch || leads || this.#closed) {
      this.#refuse(link, message.stream);
      return "refused";
    }
    this.#promise(message.epoch);
    const follower: FollowerRole = {
      kind: "follower",
      epoch: message.epoch,
      link,
      stream: message.stream,
      endAtElection: message.endAtElection,
      reconciled: false,
      forceAccepted: false,
    };
    this.#become(follower);
    this.#enqueue(() => this.#reconcile(follower, message));
    return "taken";
  }

  async #reconcile(follower: FollowerRole, message: AttachMessage): Promise<void> {
    const current = () => this.#role === follower && !this.#closed;
    if (!current()) return;
    if (this.log.failure !== undefined) {
      this.#stepOut();
      return;
    }
    await this.#save({ promisedEpoch: this.#promisedEpoch, acceptedEpoch: this.#acceptedEpoch });
    if (!current()) return;
    const before = this.log.writtenOffset;
    await reconcileLog(this.log, message, this.context);
    // Where a quorum lost its data what was committed may be cut: what comes in its place is not committed yet.
    this.highWatermark = Math.min(this.highWatermark, this.log.endOffset);
    if (!current() || this.log.failure !== undefined) return;
    if (message.logStartOffset > this.log.startOffset)
      await this.log.raiseStart(Math.min(message.logStartOffset, this.log.endOffset));
    if (!current()) return;
    follower.reconciled = true;
    follower.forceAccepted = this.context.rules.heldWhenAttached(before, this.log.endOffset).forceAccepted;
    follower.link.send({ kind: "attached", stream: follower.stream, endOffset: this.log.endOffset });
    if (follower.forceAccepted) {
      const { heldOffset } = this.context.rules.heldWhenAttached(before, this.log.endOffset);
      const ack = { stream: follower.stream, heldOffset, logStartOffset: 0, accepted: true, votes: true };
      follower.link.queueAck(ack);
    }
    this.#learnHighWatermark(message.highWatermark);
    this.#acknowledge(follower);
  }

  /** Chunks pushed by the leader of the stream. */
  onAppend(link: PeerLink, entry: AppendEntry): void {
    const role = this.#role;
    if (role.kind !== "follower" || role.link !== link || role.stream !== entry.stream || !role.reconciled) {
      // Sealed for a newer epoch and led by nobody yet: the old leader must learn it, and report it.
      if (role.kind !== "follower") this.#refuse(link, entry.stream);
      return;
    }
    if (role.epoch < this.#promisedEpoch) {
      this.#refuse(link, entry.stream);
      return;
    }
    if (this.log.failure !== undefined) return;
    try {
      for (const chunk of entry.chunks) if (chunk.endOffset > this.log.endOffset) this.log.append(chunk);
    } catch (error) {
      // A gap, or a chunk that is not what it says: nothing of it is in the log, and the leader begins anew.
      this.context.logger.error("append-not-taken", { endOffset: this.log.endOffset, error: String(error) });
      this.#stepOut();
      return;
    }
    if (entry.logStartOffset > this.log.startOffset) this.#followLogStart(entry.logStartOffset);
    this.#learnHighWatermark(entry.highWatermark);
    if (entry.chunks.length === 0) this.#acknowledge(role);
  }

  linkUp(link: PeerLink): void {
    if (this.#role.kind === "leader") this.#role.leader.linkUp(link);
  }

  linkDown(link: PeerLink): void {
    const role = this.#role;
    if (role.kind === "leader") role.leader.linkDown(link);
    else if (role.kind === "follower" && role.link === link) this.#become({ kind: "idle" });
  }

  /** What the controller should know of this replica now; undefined when all is as the record says. */
  report(): ReplicaReport | undefined {
    if (this.#closed) return undefined;
    const { topicId, partition } = this.context;
    const base = { topicId, partition, partitionEpoch: this.record.partitionEpoch };
    const role = this.#role;
    if (role.kind === "leader") {
      if (role.leader.epoch !== this.record.leaderEpoch) return undefined;
      if (this.#refusedFor > role.leader.epoch && this.context.rules.reportsRefusal())
        return { ...base, reason: "refused", brokers: [] };
      const recovered = role.leader.recoveredVoters();
      return recovered.length > 0 ? { ...base, reason: "recovered", brokers: recovered } : undefined;
    }
    if (this.record.leader !== this.context.self) return undefined;
    if (role.kind === "taking-office" && !this.isLateToOffice) return undefined;
    return { ...base, reason: "cannot-lead", brokers: [] };
  }

  /** It is to lead and its disk does not let it, while the others could elect one of them. */
  get isLateToOffice(): boolean {
    const { clock, self, links } = this.context;
    const role = this.#role;
    if (role.kind !== "taking-office" || clock.monotonicMs() - role.begunMs < diskStillMsMax) return false;
    return othersCanElect(this.record, self, links);
  }

  /** Leads no more, though the record still says so: who waits for a commit is answered, the controller is told. */
  resign(): void {
    if (this.#role.kind === "leader") this.#become({ kind: "idle" });
  }

  /** Ends every role; the log is closed (cleanly if asked) after the work under way. */
  async close(clean: boolean): Promise<void> {
    this.#closed = true;
    this.#become({ kind: "idle" });
    await this.#serial;
    await this.log.close(clean);
  }

  /** Ends every role and removes the log. */
  async delete(): Promise<void> {
    this.#closed = true;
    this.#become({ kind: "idle" });
    await this.#serial;
    await this.log.delete();
  }

  #become(role: Role): void {
    const previous = this.#role;
    this.#role = role;
    if (previous.kind === "taking-office") previous.appointment.settle();
    if (previous.kind === "leader") {
      previous.leader.end();
      this.#onChanged();
      this.context.attention();
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#serial = this.#serial.then(work).catch((error: unknown) => {
      // Only I/O fails in here (log, replica state): the role is given up and the log opened again.
      this.context.logger.error("replica-failed", { error: String(error) });
      this.#stepOut();
    });
  }

  async #save(state: ReplicaState): Promise<void> {
    const written = this.#writtenState;
    if (written.promisedEpoch === state.promisedEpoch && written.acceptedEpoch === state.acceptedEpoch) return;
    await this.context.saveState(state);
    // Saves are written in the order in which they were asked for: this is what a restart would find.
    this.#writtenState = state;
  }

  #onLogProgress(): void {
    if (this.log.failure !== undefined) {
      this.#onLogFailed();
      return;
    }
    const role = this.#role;
    if (role.kind === "leader") role.leader.recount();
    else if (role.kind === "follower") this.#acknowledge(role);
  }

  /** Tells the leader what is held; first adopts its epoch, once all that it held at its election is written here. */
  #acknowledge(follower: FollowerRole): void {
    const { rules } = this.context;
    const { writtenOffset, startOffset } = this.log;
    const { epoch } = follower;
    if (!this.#mayAcknowledge(follower)) return;
    if (this.#acceptedEpoch < epoch && rules.mayAccept(writtenOffset, follower.endAtElection)) {
      this.#accept(follower);
      return;
    }
    follower.link.queueAck({
      stream: follower.stream,
      heldOffset: writtenOffset,
      logStartOffset: startOffset,
      accepted: this.#acceptedEpoch === epoch || follower.forceAccepted,
      votes: rules.mayVote({ lost: this.isLost }),
    });
  }

  #accept(follower: FollowerRole): void {
    if (this.#accepting) return;
    this.#accepting = true;
    const { epoch } = follower;
    this.#save({ promisedEpoch: Math.max(epoch, this.#promisedEpoch), acceptedEpoch: epoch }).then(
      () => {
        this.#accepting = false;
        // The log was only appended to since, unless a newer leader attached: then the role is another one.
        if (this.#role === follower) this.#acceptedEpoch = Math.max(this.#acceptedEpoch, epoch);
        const role = this.#role;
        if (role.kind === "follower") this.#acknowledge(role);
      },
      (error: unknown) => {
        this.#accepting = false;
        this.context.logger.error("replica-state-not-written", { error: String(error) });
        if (this.#role === follower) this.#stepOut();
      },
    );
  }

  #learnHighWatermark(highWatermark: Offset): void {
    const known = Math.min(highWatermark, this.log.endOffset);
    if (known > this.highWatermark) this.highWatermark = known;
  }

  #followLogStart(offset: Offset): void {
    this.log.raiseStart(Math.min(offset, this.log.endOffset)).then(
      () => {
        // The leader counts who has the new start (DeleteRecords).
        if (this.#role.kind === "follower") this.#acknowledge(this.#role);
      },
      (error: unknown) => this.context.logger.warn("log-start-not-raised", { error: String(error) }),
    );
  }

  #refuse(link: PeerLink, stream: number): void {
    link.send({ kind: "refused", stream, promisedEpoch: this.#promisedEpoch });
  }

  #onLeaderHighWatermark(highWatermark: Offset): void {
    this.highWatermark = Math.max(this.highWatermark, highWatermark);
    this.context.highWatermarkMoved();
    this.#onChanged();
  }

  #onLeaderRefused(promisedEpoch: number): void {
    this.#refusedFor = Math.max(this.#refusedFor, promisedEpoch);
    this.context.attention();
  }

  /** A write failed (full disk, I/O error): lead and follow no more, and open the log again after a while. */
  #onLogFailed(): void {
    this.context.logger.error("log-failed", { error: String(this.log.failure) });
    this.#stepOut();
  }

  /** The role ends while its link is up: a leader that is not told waits for acknowledgements that never come. */
  #stepOut(): void {
    const role = this.#role;
    this.#become({ kind: "idle" });
    if (role.kind === "follower") role.link.send({ kind: "refused", stream: role.stream, promisedEpoch: -1 });
    this.context.attention();
    this.#planReopen();
  }

  #planReopen(): void {
    if (this.#reopenPlanned || this.#closed) return;
    this.#reopenPlanned = true;
    this.context.timers.after(logReopenMs, () => {
      this.#reopenPlanned = false;
      if (!this.#closed && this.log.failure !== undefined) this.#enqueue(() => this.#reopen());
    });
  }

  async #reopen(): Promise<void> {
    if (this.#closed) return;
    await this.log.close(false).catch(() => undefined);
    const log = await this.#reopenLog(this.log.writtenOffset);
    this.log = log;
    // What was not written when the log failed is gone, though others may have committed it.
    this.highWatermark = Math.min(this.highWatermark, log.endOffset);
    log.onProgress(() => this.#onLogProgress());
    this.considerOffice();
  }

  /** Routed by the replica manager: answers to the streams that this replica's leader role opened. */
  onAck(link: PeerLink, entry: AckEntry): void {
    if (this.#role.kind === "leader") this.#role.leader.onAck(link, entry);
  }
}
