import { joinRefused, noEffects, syncRefused } from "./group-answers.ts";
import type {
  Effects,
  GroupConfig,
  GroupDescription,
  GroupError,
  GroupState,
  HeartbeatInput,
  JoinInput,
  LeaveInput,
  LeaveOutcome,
  LeavingMember,
  SyncInput,
  Ticket,
  UnstampedGroupValue,
} from "./group-contract.ts";
import { GroupMember, noBytes } from "./group-member.ts";
import { type CompletingRebalance, type Replacement, WriteToken } from "./group-phase.ts";
import { memberMetadataBytesMax, memberProtocolsMax, pendingMembersMax } from "./limits.ts";
import { joinGrowth } from "./member-bytes.ts";
import { RebalanceCycle } from "./rebalance-cycle.ts";
import { confirmReturn, returnStatic, revertReturn } from "./static-return.ts";
import { answerToFailedWrite } from "./write-errors.ts";

/** A member that may do what it asks for, or why not. */
type Identified =
  | { readonly member: GroupMember; readonly error: "NONE" }
  | { readonly member: undefined; readonly error: GroupError };

/** What the tenant has left when nobody counts. */
const unbounded = Number.POSITIVE_INFINITY;

/**
 * A group of Kafka's classic rebalance protocol: who is in it, who leads, which generation it is in. Pure: it is told the
 * time and what happened, and gives the answers to send and the record to append.
 *
 *               join                        initial delay over; all joined; time is up
 *   +-------+ ---------> +--------------------+ -------------------> +---------------------+
 *   | Empty |            | PreparingRebalance |                      | CompletingRebalance |
 *   +-------+ <--------- +--------------------+ <------------------- +---------------------+
 *               nobody     ^                      join with news; leave;         |
 *               is left *  |                      session over; no sync in       | leader's sync,
 *                          |                      time; write failed             | and written *
 *                          |  join with news or of the leader; leave;            v
 *                          |  session over; no sync in time             +--------+
 *                          +------------------------------------------- | Stable | static member
 *   +------+                                                            +--------+ comes back *
 *   | Dead | <--- die, from everywhere
 *   +------+
 *
 *   *: a record is written. Members learn of an assignment, and a static member of its new id, only afterwards.
 *
 * Errors. Without a change: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL,
 * INVALID_SESSION_TIMEOUT, COORDINATOR_NOT_AVAILABLE (Dead). MEMBER_ID_REQUIRED holds the next generation up until the
 * client is back or its session is over. GROUP_MAX_SIZE_REACHED removes a member that rejoins too late.
 * POLICY_VIOLATION: the group would grow by more than its tenant has room for (`roomBytes`); when assignments would, all that
 * wait for them are told, and a rebalance begins. REBALANCE_IN_PROGRESS asks to join. A write that failed is told as COORDINATOR_NOT_AVAILABLE and the like.
 *
 * Where it departs from Kafka, so that clients fare better:
 *  - Whoever waits is answered, also when its member leaves, is removed, or asks again over another connection.
 *  - A client that disconnects while it waits does not count as joined; if it cannot know its member id, the member goes.
 *  - A static member that comes back to a full group gets its own place; with other topics it causes a rebalance.
 *  - A static member that did not rejoin keeps its place until its session ends, which is not renewed meanwhile.
 *  - All protocols of a member are stored; it may change all of its own if the other members know one of the new ones.
 */
export class ClassicGroup {
  readonly groupId: string;
  readonly #cycle: RebalanceCycle;

  /** A group that nobody has joined yet. */
  constructor(groupId: string, config: GroupConfig, nowMs: number) {
    this.groupId = groupId;
    this.#cycle = new RebalanceCycle(config, nowMs);
  }

  /**
   * As it was stored: its members go on in the same generation, with a fresh session. `stateAgeMs`: how long ago the value
   * was stamped, by the wall clock.
   */
  static restore(
    groupId: string,
    value: UnstampedGroupValue,
    config: GroupConfig,
    nowMs: number,
    stateAgeMs = 0,
  ): ClassicGroup {
    const group = new ClassicGroup(groupId, config, nowMs - Math.max(stateAgeMs, 0));
    const cycle = group.#cycle;
    cycle.protocolType = value.protocolType;
    cycle.protocolName = value.protocolName;
    cycle.generationId = value.generationId;
    for (const stored of value.members) {
      const member = new GroupMember(stored.memberId, stored, { isNew: false, isIdKnown: true });
      member.assignment = Buffer.from(stored.assignment);
      cycle.members.add(member);
      cycle.arm(member, nowMs);
    }
    cycle.members.restoreLeader(value.leader);
    cycle.topics = cycle.readTopics();
    if (value.members.length === 0) return group;
    cycle.phase = { name: "Stable", syncDeadlineMs: Number.POSITIVE_INFINITY, replacements: [] };
    if (group.memberCount > config.groupMaxSize) cycle.prepare(nowMs);
    return group;
  }

  get state(): GroupState {
    return this.#cycle.phase.name;
  }

  get protocolType(): string | null {
    return this.#cycle.protocolType;
  }

  get generationId(): number {
    return this.#cycle.generationId;
  }

  get memberCount(): number {
    return this.#cycle.members.size;
  }

  /** What it takes of the broker's memory, as `member-bytes.ts` counts it; 0 when it is idle. */
  get stateBytes(): number {
    return this.#cycle.stateBytes;
  }

  get isEmpty(): boolean {
    return this.#cycle.phase.name === "Empty";
  }

  /** Empty, and no client was asked to join again: all there is to know of it is stored. */
  get isIdle(): boolean {
    return this.isEmpty && this.#cycle.pendingJoins.size === 0;
  }

  /** When its last member went, or it was made; undefined when it is not empty. */
  get emptySinceMs(): number | undefined {
    return this.#cycle.phase.name === "Empty" ? this.#cycle.phase.sinceMs : undefined;
  }

  /** For the decisions to come; what was decided stands. */
  reconfigure(config: GroupConfig): void {
    this.#cycle.config = config;
  }

  /** `roomBytes`: how much larger the group may become; what does not make it larger is never refused for that. */
  join(request: JoinInput, ticket: Ticket, nowMs: number, roomBytes = unbounded): Effects {
    const { memberId, groupInstanceId } = request;
    const { members } = this.#cycle;
    const known = memberId === "" ? members.byInstance(groupInstanceId) : members.get(memberId);
    const error = this.#joinRefusal(request, known, roomBytes);
    if (error === "NONE") {
      if (known === undefined) this.#joinNew(request, ticket, nowMs);
      else if (memberId === "") returnStatic(this.#cycle, { before: known, request, ticket }, nowMs);
      else this.#joinAgain(known, request, ticket, nowMs);
      return this.#cycle.flush();
    }
    const startsAnew = error === "GROUP_MAX_SIZE_REACHED" || error === "INVALID_SESSION_TIMEOUT";
    this.#cycle.answer(joinRefused(ticket, error, startsAnew ? "" : memberId));
    if (error === "GROUP_MAX_SIZE_REACHED" && memberId !== "") this.#giveUpPlace(memberId, nowMs);
    return this.#cycle.flush();
  }

  /** `roomBytes`: as in `join`. */
  sync(request: SyncInput, ticket: Ticket, nowMs: number, roomBytes = unbounded): Effects {
    const cycle = this.#cycle;
    const { member, error } = this.#syncing(request);
    if (member === undefined) {
      cycle.answer(syncRefused(ticket, error));
      return cycle.flush();
    }
    // When it asks again over another connection, the old one is told to do so too.
    cycle.refuseSync(member, "REBALANCE_IN_PROGRESS");
    cycle.members.giveSyncTicket(member, ticket);
    member.owesSync = false;
    const { phase } = cycle;
    if (phase.name === "Stable") cycle.answerSync(member);
    else if (phase.name === "CompletingRebalance" && cycle.members.isLeader(member)) {
      this.#takeAssignments(phase, request, nowMs, roomBytes);
    }
    cycle.arm(member, nowMs);
    return cycle.flush();
  }

  heartbeat(request: HeartbeatInput, nowMs: number): GroupError | "NONE" {
    const { member, error } = this.#identify(request.memberId, request.groupInstanceId);
    if (member === undefined) return error;
    if (request.generationId !== this.generationId) return "ILLEGAL_GENERATION";
    this.#cycle.arm(member, nowMs);
    return this.state === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : "NONE";
  }

  leave(request: LeaveInput, nowMs: number): LeaveOutcome {
    let left = false;
    const members = request.members.map((leaving) => {
      if (leaving.memberId !== "" && this.#cycle.pendingJoins.delete(leaving.memberId)) {
        return { ...leaving, error: "NONE" as const };
      }
      const { member, error } = this.#leaving(leaving);
      if (member !== undefined) {
        this.#cycle.remove(member);
        left = true;
      }
      return { ...leaving, error };
    });
    if (left) this.#cycle.rebalance(nowMs);
    else this.#cycle.completeIfAllJoined(nowMs);
    return { effects: this.#cycle.flush(), members };
  }

  /** The client's connection ended: the ticket will not be answered. Nothing happens when it was already. */
  withdraw(ticket: Ticket, nowMs: number): Effects {
    const cycle = this.#cycle;
    const member = cycle.members.byTicket(ticket);
    if (member === undefined) return noEffects;
    if (member.syncTicket === ticket) {
      cycle.members.takeSyncTicket(member);
      member.owesSync = true;
    } else {
      cycle.members.takeJoinTicket(member);
      if (member.isNew && !member.isStatic && !member.isIdKnown) {
        cycle.remove(member);
        cycle.rebalance(nowMs);
        return cycle.flush();
      }
    }
    cycle.arm(member, nowMs);
    return cycle.flush();
  }

  /** The append of a record is committed. */
  written(token: object, nowMs: number): Effects {
    const cycle = this.#cycle;
    const { phase } = cycle;
    if (!(token instanceof WriteToken) || token.owner !== cycle) return noEffects;
    if (phase.name === "CompletingRebalance" && phase.assignment?.token === token) {
      cycle.stabilize(phase, phase.assignment, nowMs);
    } else if (phase.name === "Stable") {
      // What was decided before is in this record too.
      const isWritten = (replacement: Replacement) => replacement.token.sequence <= token.sequence;
      const confirmed = phase.replacements.filter(isWritten);
      phase.replacements = phase.replacements.filter((replacement) => !isWritten(replacement));
      for (const replacement of confirmed) confirmReturn(cycle, replacement, nowMs);
    }
    return cycle.flush();
  }

  /** The append of a record failed, or its outcome is unknown. `error`: the log's, or the coordinator's. */
  writeFailed(token: object, error: GroupError, nowMs: number): Effects {
    const cycle = this.#cycle;
    const { phase } = cycle;
    if (!(token instanceof WriteToken) || token.owner !== cycle) return noEffects;
    const answer = answerToFailedWrite(error);
    if (phase.name === "CompletingRebalance" && phase.assignment?.token === token) {
      cycle.resetAssignments(answer, nowMs);
      cycle.prepare(nowMs);
    } else if (phase.name === "Stable" && token.sequence === cycle.writes) {
      // While a newer write is under way, which holds the same, its outcome decides.
      for (const replacement of phase.replacements.toReversed()) revertReturn(cycle, replacement, answer, nowMs);
      phase.replacements = [];
    }
    return cycle.flush();
  }

  /** Does what is due. To be called at `nextDeadlineMs`; earlier calls do nothing. */
  tick(nowMs: number): Effects {
    if (nowMs < this.#cycle.wakeMs) return noEffects;
    this.#cycle.tick(nowMs);
    return this.#cycle.flush();
  }

  /** Infinity: nothing is waited for. Any call may make it earlier; it may be earlier than anything is due. */
  nextDeadlineMs(): number {
    return this.#cycle.wakeMs;
  }

  /** May these offsets be committed? Counts as a heartbeat. */
  validateCommit(
    memberId: string,
    generationId: number,
    groupInstanceId: string | null,
    nowMs: number,
  ): GroupError | "NONE" {
    // An admin client, or a consumer that assigns its partitions itself.
    if (generationId < 0 && this.isEmpty) return "NONE";
    const { member, error } = this.#identify(memberId, groupInstanceId);
    if (member === undefined) return error;
    if (generationId !== this.generationId) return "ILLEGAL_GENERATION";
    // It knows of the generation and not yet of its assignment: the commit is of what it owned before, and comes late.
    if (this.state === "CompletingRebalance") return "REBALANCE_IN_PROGRESS";
    this.#cycle.arm(member, nowMs);
    return "NONE";
  }

  /** May the group be deleted? */
  validateDelete(): GroupError | "NONE" {
    if (this.state === "Dead") return "GROUP_ID_NOT_FOUND";
    return this.isEmpty ? "NONE" : "NON_EMPTY_GROUP";
  }

  /**
   * Topics that the members of the current generation subscribe to; none when the group is empty. Undefined when that is
   * unknown: another protocol type, metadata that is no subscription, or no generation yet. Consumers are then to be
   * taken for subscribed to every topic (`protocolType` tells), as in Kafka.
   */
  subscribedTopics(): ReadonlySet<string> | undefined {
    return this.#cycle.topics;
  }

  describe(): GroupDescription {
    const { phase, protocolName, protocolType, members } = this.#cycle;
    const chosen = phase.name === "Stable" ? protocolName : null;
    return {
      state: phase.name,
      protocolType: protocolType ?? "",
      protocol: chosen ?? "",
      members: Array.from(members, (member) => member.describe(chosen)),
    };
  }

  /** The shard lost its office (NOT_COORDINATOR), or the group was deleted: all that wait are answered so. */
  die(error: GroupError): Effects {
    const cycle = this.#cycle;
    for (const member of cycle.members) {
      cycle.refuseJoin(member, error, member.memberId);
      cycle.refuseSync(member, error);
    }
    cycle.phase = { name: "Dead" };
    cycle.pendingJoins.clear();
    cycle.wakeMs = Number.POSITIVE_INFINITY;
    return cycle.flush();
  }

  #joinRefusal(request: JoinInput, known: GroupMember | undefined, roomBytes: number): GroupError | "NONE" {
    const { memberId, groupInstanceId, sessionTimeoutMs, protocols } = request;
    const { config, pendingJoins } = this.#cycle;
    if (this.state === "Dead") return "COORDINATOR_NOT_AVAILABLE";
    if (sessionTimeoutMs < config.minSessionTimeoutMs || sessionTimeoutMs > config.maxSessionTimeoutMs) {
      return "INVALID_SESSION_TIMEOUT";
    }
    if (protocols.length > memberProtocolsMax) return "INVALID_REQUEST";
    const protocolBytes = protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0);
    if (protocolBytes > memberMetadataBytesMax) return "INVALID_REQUEST";
    if (memberId !== "" && !(pendingJoins.has(memberId) && groupInstanceId === null)) {
      const { error } = this.#identify(memberId, groupInstanceId);
      if (error !== "NONE") return error;
    }
    if (!this.#hasPlace(known)) return "GROUP_MAX_SIZE_REACHED";
    if (!this.#agreesWith(request, known)) return "INCONSISTENT_GROUP_PROTOCOL";
    const growth = joinGrowth(request, known, pendingJoins.has(memberId));
    return growth > Math.max(roomBytes, 0) ? "POLICY_VIOLATION" : "NONE";
  }

  /**
   * While a rebalance is prepared the first to join get the places, so that a group that became too large shrinks. Static
   * members that are away keep theirs.
   */
  #hasPlace(known: GroupMember | undefined): boolean {
    const { members, config } = this.#cycle;
    if (this.isEmpty || known?.joinTicket !== undefined) return true;
    if (this.state !== "PreparingRebalance") return known !== undefined || members.size < config.groupMaxSize;
    const away = known?.isStatic === true ? 0 : members.staticAway;
    return members.awaitingJoin + away < config.groupMaxSize;
  }

  #giveUpPlace(memberId: string, nowMs: number): void {
    const member = this.#cycle.members.get(memberId);
    this.#cycle.pendingJoins.delete(memberId);
    if (member !== undefined) this.#cycle.remove(member);
    this.#cycle.completeIfAllJoined(nowMs);
  }

  #agreesWith(request: JoinInput, known: GroupMember | undefined): boolean {
    const { members, protocolType } = this.#cycle;
    if (request.protocolType === "" || request.protocols.length === 0) return false;
    if (members.size === 0) return true;
    const names = request.protocols.map(({ name }) => name);
    return request.protocolType === protocolType && members.haveInCommon(names, known);
  }

  #joinNew(request: JoinInput, ticket: Ticket, nowMs: number): void {
    const { memberId, newMemberId, groupInstanceId, requireKnownMemberId, sessionTimeoutMs } = request;
    const { pendingJoins } = this.#cycle;
    if (memberId !== "") {
      this.#addMember(memberId, request, ticket, nowMs);
    } else if (groupInstanceId !== null || !requireKnownMemberId) {
      this.#addMember(newMemberId, request, ticket, nowMs);
    } else {
      for (const oldest of pendingJoins.keys()) {
        if (pendingJoins.size < pendingMembersMax) break;
        pendingJoins.delete(oldest);
      }
      pendingJoins.set(newMemberId, nowMs + sessionTimeoutMs);
      this.#cycle.wakeAt(nowMs + sessionTimeoutMs);
      this.#cycle.answer(joinRefused(ticket, "MEMBER_ID_REQUIRED", newMemberId));
    }
  }

  #joinAgain(member: GroupMember, request: JoinInput, ticket: Ticket, nowMs: number): void {
    const cycle = this.#cycle;
    cycle.refuseJoin(member, "UNKNOWN_MEMBER_ID");
    cycle.members.giveJoinTicket(member, ticket);
    // In a stable group the leader may have seen what changes the assignment, and not what it says of itself.
    const knowsIt =
      this.state === "CompletingRebalance" || (this.state === "Stable" && !cycle.members.isLeader(member));
    if (knowsIt && member.matches(request.protocols)) {
      // It did not get its answer.
      cycle.answerJoin(member);
      cycle.arm(member, nowMs);
      return;
    }
    cycle.members.update(member, request);
    cycle.arm(member, nowMs);
    cycle.rebalance(nowMs);
  }

  #addMember(memberId: string, request: JoinInput, ticket: Ticket, nowMs: number): void {
    const cycle = this.#cycle;
    const member = new GroupMember(memberId, request, { isNew: true, isIdKnown: request.memberId !== "" });
    if (cycle.members.size === 0) cycle.protocolType = request.protocolType;
    cycle.pendingJoins.delete(memberId);
    cycle.members.add(member);
    cycle.members.giveJoinTicket(member, ticket);
    cycle.arm(member, nowMs);
    if (cycle.phase.name === "PreparingRebalance" && cycle.phase.initial !== undefined) {
      cycle.phase.initial.memberCame = true;
    }
    cycle.rebalance(nowMs);
  }

  #syncing(request: SyncInput): Identified {
    const identified = this.#identify(request.memberId, request.groupInstanceId);
    if (identified.error !== "NONE") return identified;
    const refused = (error: GroupError) => ({ member: undefined, error });
    const { generationId, protocolType, protocolName } = this.#cycle;
    if (request.generationId !== generationId) return refused("ILLEGAL_GENERATION");
    const differs = (told: string | null, ours: string | null) => told !== null && ours !== null && told !== ours;
    if (differs(request.protocolType, protocolType) || differs(request.protocolName, protocolName)) {
      return refused("INCONSISTENT_GROUP_PROTOCOL");
    }
    return this.state === "PreparingRebalance" ? refused("REBALANCE_IN_PROGRESS") : identified;
  }

  #takeAssignments(phase: CompletingRebalance, request: SyncInput, nowMs: number, roomBytes: number): void {
    const cycle = this.#cycle;
    const byMemberId = new Map<string, Buffer>();
    for (const { memberId, assignment } of request.assignments) {
      if (cycle.members.get(memberId) !== undefined) byMemberId.set(memberId, Buffer.from(assignment));
    }
    let bytes = 0;
    for (const assignment of byMemberId.values()) bytes += assignment.length;
    const held = Math.max(cycle.members.assignmentBytes, cycle.pendingAssignmentBytes);
    if (bytes - held > Math.max(roomBytes, 0)) {
      // As when it could not be written: nobody would get anything, and the leader has to know.
      cycle.resetAssignments("POLICY_VIOLATION", nowMs);
      cycle.prepare(nowMs);
      return;
    }
    const token = cycle.persist((member) => byMemberId.get(member.memberId) ?? noBytes);
    phase.assignment = { token, byMemberId, bytes };
  }

  /** Operators remove static members without telling a member id. */
  #leaving({ memberId, groupInstanceId }: LeavingMember): Identified {
    const held = memberId === "" ? this.#cycle.members.byInstance(groupInstanceId)?.memberId : undefined;
    return this.#identify(held ?? memberId, groupInstanceId);
  }

  /** Whose request is this? An instance id belongs to whoever came with it last. */
  #identify(memberId: string, groupInstanceId: string | null): Identified {
    const { members } = this.#cycle;
    if (this.state === "Dead") return { member: undefined, error: "COORDINATOR_NOT_AVAILABLE" };
    if (groupInstanceId !== null) {
      const holder = members.byInstance(groupInstanceId);
      if (holder !== undefined && holder.memberId !== memberId)
        return { member: undefined, error: "FENCED_INSTANCE_ID" };
      return holder === undefined
        ? { member: undefined, error: "UNKNOWN_MEMBER_ID" }
        : { member: holder, error: "NONE" };
    }
    const member = members.get(memberId);
    return member === undefined ? { member, error: "UNKNOWN_MEMBER_ID" } : { member, error: "NONE" };
  }
}
