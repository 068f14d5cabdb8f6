import { consumerProtocolType, subscribedTopicsOf } from "./consumer-subscription.ts";
import { joinRefused, noEffects, syncRefused } from "./group-answers.ts";
import type {
  Answer,
  Effects,
  GroupConfig,
  GroupError,
  GroupWrite,
  JoinAnswer,
  UnstampedGroupValue,
} from "./group-contract.ts";
import { type GroupMember, noBytes } from "./group-member.ts";
import { type CompletingRebalance, type GroupPhase, type PendingAssignment, WriteToken } from "./group-phase.ts";
import { newMemberJoinTimeoutMs, pendingMemberHeapBytes, rejoinWaitMsMin } from "./limits.ts";
import { MemberTable } from "./member-table.ts";

const never = Number.POSITIVE_INFINITY;

/**
 * The cycle that a group goes through again and again, and what all its steps need: members, deadlines, answers, records.
 * Requests are judged in `classic-group.ts`, where the diagram is; here is what follows once they are accepted.
 */
export class RebalanceCycle {
  config: GroupConfig;
  phase: GroupPhase;
  /** Null: never had a member. */
  protocolType: string | null = null;
  /** Null: no member, or none chosen yet. */
  protocolName: string | null = null;
  generationId = 0;
  /** See `ClassicGroup.subscribedTopics`. */
  topics: ReadonlySet<string> | undefined;
  readonly members = new MemberTable();
  /** Ids given to clients that are to join again with them, and when they are forgotten (KIP-394). */
  readonly pendingJoins = new Map<string, number>();
  /** No deadline is earlier. Heartbeats move theirs on without touching this, so it may be too early, which is harmless. */
  wakeMs = never;
  /** Sequence of the newest write. */
  writes = 0;
  /** Gathered by the call under way. */
  #answers: Answer[] = [];
  #write: GroupWrite | undefined;

  constructor(config: GroupConfig, nowMs: number) {
    this.config = config;
    this.phase = { name: "Empty", sinceMs: nowMs };
  }

  /**
   * What the group takes of the broker's memory. Of assignments that are kept and those about to replace them, the larger:
   * a group whose assignments stay as large as they were does not grow for the time of a rebalance.
   */
  get stateBytes(): number {
    const { members, pendingJoins } = this;
    const assignmentBytes = Math.max(members.assignmentBytes, this.pendingAssignmentBytes);
    return members.bytes + assignmentBytes + pendingJoins.size * pendingMemberHeapBytes;
  }

  /** Of assignments that are on their way into the log. */
  get pendingAssignmentBytes(): number {
    return this.phase.name === "CompletingRebalance" ? (this.phase.assignment?.bytes ?? 0) : 0;
  }

  /** What the call under way gathered. */
  flush(): Effects {
    if (this.#answers.length === 0 && this.#write === undefined) return noEffects;
    const answers = this.#answers;
    const write = this.#write;
    this.#answers = [];
    this.#write = undefined;
    return write === undefined ? { answers } : { answers, write };
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
  }

  /** Who waits for the current generation is told of it. */
  answerJoin(member: GroupMember, change: Partial<Pick<JoinAnswer, "leader" | "skipAssignment">> = {}): void {
    const ticket = this.members.takeJoinTicket(member);
    if (ticket === undefined) return;
    const { protocolType, protocolName, generationId } = this;
    const leader = change.leader ?? this.members.leaderId ?? "";
    this.#answers.push({
      kind: "join",
      ticket,
      error: "NONE",
      memberId: member.memberId,
      generationId,
      protocolType,
      protocolName,
      leader,
      skipAssignment: change.skipAssignment ?? false,
      members: leader === member.memberId ? Array.from(this.members, (each) => each.joined(protocolName)) : [],
    });
  }

  /** `memberId`: what the client goes on with; empty makes it ask for a new one. Nothing when it does not wait. */
  refuseJoin(member: GroupMember, error: GroupError, memberId = ""): void {
    const ticket = this.members.takeJoinTicket(member);
    if (ticket !== undefined) this.#answers.push(joinRefused(ticket, error, memberId));
  }

  /** False when it does not wait. */
  answerSync(member: GroupMember): boolean {
    const ticket = this.members.takeSyncTicket(member);
    if (ticket === undefined) return false;
    const { protocolType, protocolName } = this;
    const { assignment } = member;
    this.#answers.push({ kind: "sync", ticket, error: "NONE", protocolType, protocolName, assignment });
    return true;
  }

  /** False when it does not wait. */
  refuseSync(member: GroupMember, error: GroupError): boolean {
    const ticket = this.members.takeSyncTicket(member);
    if (ticket !== undefined) this.#answers.push(syncRefused(ticket, error));
    return ticket !== undefined;
  }

  /** The group as it is now, or with other assignments, is to be written. */
  persist(assignmentOf = (member: GroupMember) => member.assignment): WriteToken {
    const value: UnstampedGroupValue = {
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      generationId: this.generationId,
      leader: this.members.leaderId ?? null,
      members: Array.from(this.members, (member) => member.toValue(assignmentOf(member))),
    };
    const token = new WriteToken(this, ++this.writes);
    this.#write = { value, token };
    return token;
  }

  /** A sign of life, or the end of a wait. Who waits for us need not show more of them, unless it is new. */
  arm(member: GroupMember, nowMs: number): void {
    const waitMs = member.isNew ? newMemberJoinTimeoutMs : never;
    member.sessionDeadlineMs = nowMs + (member.isWaiting ? waitMs : member.sessionTimeoutMs);
    this.wakeAt(member.sessionDeadlineMs);
  }

  wakeAt(deadlineMs: number): void {
    this.wakeMs = Math.min(this.wakeMs, deadlineMs);
  }

  /** Who waits is answered. To be followed by `rebalance`. */
  remove(member: GroupMember): void {
    this.refuseJoin(member, "UNKNOWN_MEMBER_ID");
    this.refuseSync(member, "UNKNOWN_MEMBER_ID");
    this.members.remove(member);
  }

  /** A member joined or went: a rebalance begins, or the one that has begun may be complete. */
  rebalance(nowMs: number): void {
    if (this.phase.name === "PreparingRebalance") this.completeIfAllJoined(nowMs);
    else this.prepare(nowMs);
  }

  /** Begins a rebalance: all are to join again. */
  prepare(nowMs: number): void {
    this.resetAssignments("REBALANCE_IN_PROGRESS", nowMs);
    for (const member of this.members) member.owesSync = false;
    const rebalanceTimeoutMs = this.members.rebalanceTimeoutMs();
    if (this.phase.name === "Empty") {
      const delayMs = this.config.initialRebalanceDelayMs;
      const latestMs = nowMs + Math.max(delayMs, rebalanceTimeoutMs);
      const initial = { latestMs, memberCame: false };
      // What those who come will read is not known before the generation begins; "nothing" would be wrong.
      this.topics = undefined;
      this.phase = { name: "PreparingRebalance", deadlineMs: nowMs + delayMs, initial };
    } else {
      this.phase = { name: "PreparingRebalance", deadlineMs: nowMs + rebalanceTimeoutMs, initial: undefined };
    }
    this.wakeAt(this.phase.deadlineMs);
    this.completeIfAllJoined(nowMs);
  }

  /** Takes back what a generation was about to be assigned. */
  resetAssignments(error: GroupError, nowMs: number): void {
    if (this.phase.name !== "CompletingRebalance") return;
    this.phase.assignment = undefined;
    for (const member of this.members) {
      this.members.assign(member, noBytes);
      if (this.refuseSync(member, error)) this.arm(member, nowMs);
    }
  }

  /** A group that was empty waits for its time to be over in any case. */
  completeIfAllJoined(nowMs: number): void {
    if (this.phase.name !== "PreparingRebalance" || this.phase.initial !== undefined) return;
    if (this.members.awaitingJoin === this.members.size && this.pendingJoins.size === 0) this.#complete(nowMs);
  }

  /** The assignment is written: everybody may have it. */
  stabilize(phase: CompletingRebalance, { byMemberId }: PendingAssignment, nowMs: number): void {
    this.phase = { name: "Stable", syncDeadlineMs: phase.syncDeadlineMs, replacements: [] };
    for (const member of this.members) {
      this.members.assign(member, byMemberId.get(member.memberId) ?? noBytes);
      if (this.answerSync(member)) this.arm(member, nowMs);
    }
  }

  /** Does what is due. */
  tick(nowMs: number): void {
    this.#expireMembers(nowMs);
    this.#endWait(nowMs);
    this.wakeMs = this.#earliestDeadlineMs();
  }

  /** The topics of all members under the chosen protocol. */
  readTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== consumerProtocolType) return undefined;
    const topics = new Set<string>();
    for (const member of this.members) {
      const subscribed = subscribedTopicsOf(member.metadataFor(this.protocolName));
      if (subscribed === undefined) return undefined;
      for (const topic of subscribed) topics.add(topic);
    }
    return topics;
  }

  /** The next generation: of those who joined, and of static members that may still come back. */
  #complete(nowMs: number): void {
    for (const member of [...this.members]) {
      if (member.joinTicket === undefined && !member.isStatic) this.remove(member);
    }
    if (this.members.size > 0 && !this.members.electJoinedLeader()) {
      // Nobody could assign anything. Static members come back, or their sessions end.
      const waitMs = Math.max(this.members.rebalanceTimeoutMs(), rejoinWaitMsMin);
      this.phase = { name: "PreparingRebalance", deadlineMs: nowMs + waitMs, initial: undefined };
      this.wakeAt(this.phase.deadlineMs);
      return;
    }
    this.generationId += 1;
    this.protocolName = this.members.selectProtocol();
    this.topics = this.readTopics();
    if (this.members.size === 0) {
      this.phase = { name: "Empty", sinceMs: nowMs };
      // Nobody waits for the outcome: if it fails, the last generation is restored after a failover, and times out.
      this.persist();
      return;
    }
    const syncDeadlineMs = nowMs + this.members.rebalanceTimeoutMs();
    this.phase = { name: "CompletingRebalance", syncDeadlineMs, assignment: undefined };
    this.wakeAt(syncDeadlineMs);
    for (const member of this.members) {
      if (member.joinTicket === undefined) continue;
      this.answerJoin(member);
      member.isNew = false;
      member.isIdKnown = true;
      member.owesSync = true;
      this.arm(member, nowMs);
    }
  }

  #expireMembers(nowMs: number): void {
    for (const [memberId, deadlineMs] of this.pendingJoins) {
      if (deadlineMs <= nowMs) this.pendingJoins.delete(memberId);
    }
    const expired = [...this.members].filter((member) => member.sessionDeadlineMs <= nowMs);
    for (const member of expired) this.remove(member);
    if (expired.length > 0) this.rebalance(nowMs);
    else this.completeIfAllJoined(nowMs);
  }

  #endWait(nowMs: number): void {
    const { phase } = this;
    if (phase.name === "PreparingRebalance") {
      if (phase.deadlineMs > nowMs) return;
      const { initial } = phase;
      if (initial?.memberCame === true) {
        initial.memberCame = false;
        phase.deadlineMs = Math.min(nowMs + this.config.initialRebalanceDelayMs, initial.latestMs);
      }
      if (phase.deadlineMs <= nowMs) this.#complete(nowMs);
    } else if (phase.name === "CompletingRebalance" || phase.name === "Stable") {
      if (phase.syncDeadlineMs > nowMs) return;
      phase.syncDeadlineMs = never;
      const silent = [...this.members].filter((member) => member.owesSync);
      for (const member of silent) this.remove(member);
      if (silent.length > 0) this.rebalance(nowMs);
    }
  }

  #earliestDeadlineMs(): number {
    const { phase } = this;
    let earliest = never;
    if (phase.name === "PreparingRebalance") earliest = phase.deadlineMs;
    else if (phase.name === "CompletingRebalance" || phase.name === "Stable") earliest = phase.syncDeadlineMs;
    for (const deadlineMs of this.pendingJoins.values()) earliest = Math.min(earliest, deadlineMs);
    for (const member of this.members) earliest = Math.min(earliest, member.sessionDeadlineMs);
    return earliest;
  }
}
