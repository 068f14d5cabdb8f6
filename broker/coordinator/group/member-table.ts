import type { JoinInput, Ticket } from "./group-contract.ts";
import { type GroupMember, ownProtocols } from "./group-member.ts";
import { memberBytes } from "./member-bytes.ts";

/**
 * The members of a group with what is counted over them: who leads, who waits, which protocols all of them know, what they
 * take of the broker's memory. Iterates in the order in which they came.
 */
export class MemberTable implements Iterable<GroupMember> {
  readonly #byId = new Map<string, GroupMember>();
  readonly #byInstance = new Map<string, GroupMember>();
  readonly #byTicket = new Map<Ticket, GroupMember>();
  /** How many members know a protocol. */
  readonly #knownBy = new Map<string, number>();
  #awaitingJoin = 0;
  #staticAwaitingJoin = 0;
  #bytes = 0;
  #assignmentBytes = 0;
  #leaderId: string | undefined;

  [Symbol.iterator](): Iterator<GroupMember> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Members whose join waits for an answer. */
  get awaitingJoin(): number {
    return this.#awaitingJoin;
  }

  /** Static members that did not join (again); they keep their place until their session ends. */
  get staticAway(): number {
    return this.#byInstance.size - this.#staticAwaitingJoin;
  }

  /** Of all members, without their assignments. */
  get bytes(): number {
    return this.#bytes;
  }

  get assignmentBytes(): number {
    return this.#assignmentBytes;
  }

  /** Undefined exactly while there is no member. */
  get leaderId(): string | undefined {
    return this.#leaderId;
  }

  get(memberId: string): GroupMember | undefined {
    return this.#byId.get(memberId);
  }

  byInstance(groupInstanceId: string | null): GroupMember | undefined {
    return groupInstanceId === null ? undefined : this.#byInstance.get(groupInstanceId);
  }

  byTicket(ticket: Ticket): GroupMember | undefined {
    return this.#byTicket.get(ticket);
  }

  isLeader(member: GroupMember): boolean {
    return member.memberId === this.#leaderId;
  }

  /** The first one leads. Its id and instance id are new to the table, and it holds no ticket. */
  add(member: GroupMember): void {
    this.#byId.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#byInstance.set(member.groupInstanceId, member);
    this.#count(member, 1);
    this.#leaderId ??= member.memberId;
  }

  /** Its tickets were taken before. A leader that goes is followed by whoever came first of the others. */
  remove(member: GroupMember): void {
    this.#byId.delete(member.memberId);
    if (member.groupInstanceId !== null) this.#byInstance.delete(member.groupInstanceId);
    this.#count(member, -1);
    if (this.isLeader(member)) this.#leaderId = this.#byId.keys().next().value;
  }

  /** Puts a static member in the place of another of the same instance id, as leader too. Tickets were taken before. */
  replace(before: GroupMember, after: GroupMember): void {
    const led = this.isLeader(before);
    this.remove(before);
    this.add(after);
    if (led) this.#leaderId = after.memberId;
  }

  /** Who led when the group was stored. */
  restoreLeader(memberId: string | null): void {
    if (memberId !== null && this.#byId.has(memberId)) this.#leaderId = memberId;
  }

  /** A known member says it all again. */
  update(member: GroupMember, request: JoinInput): void {
    this.#count(member, -1);
    member.protocols = ownProtocols(request.protocols);
    this.#count(member, 1);
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    member.sessionTimeoutMs = request.sessionTimeoutMs;
  }

  assign(member: GroupMember, assignment: Buffer): void {
    this.#assignmentBytes += assignment.length - member.assignment.length;
    member.assignment = assignment;
  }

  giveJoinTicket(member: GroupMember, ticket: Ticket): void {
    member.joinTicket = ticket;
    this.#byTicket.set(ticket, member);
    this.#awaitingJoin += 1;
    if (member.isStatic) this.#staticAwaitingJoin += 1;
  }

  takeJoinTicket(member: GroupMember): Ticket | undefined {
    const ticket = member.joinTicket;
    if (ticket === undefined) return undefined;
    member.joinTicket = undefined;
    this.#byTicket.delete(ticket);
    this.#awaitingJoin -= 1;
    if (member.isStatic) this.#staticAwaitingJoin -= 1;
    return ticket;
  }

  giveSyncTicket(member: GroupMember, ticket: Ticket): void {
    member.syncTicket = ticket;
    this.#byTicket.set(ticket, member);
  }

  takeSyncTicket(member: GroupMember): Ticket | undefined {
    const ticket = member.syncTicket;
    if (ticket === undefined) return undefined;
    member.syncTicket = undefined;
    this.#byTicket.delete(ticket);
    return ticket;
  }

  /** A leader that did not rejoin is followed by the first member that did. False when none did. */
  electJoinedLeader(): boolean {
    if (this.#awaitingJoin === 0) return false;
    if (this.#leaderId !== undefined && this.#byId.get(this.#leaderId)?.joinTicket !== undefined) return true;
    for (const member of this) {
      if (member.joinTicket === undefined) continue;
      this.#leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /**
   * Is there a protocol among these that all members know? `except` is the one that asks: what it knew before does not
   * bind it.
   */
  haveInCommon(protocolNames: readonly string[], except: GroupMember | undefined): boolean {
    const others = this.#byId.size - (except === undefined ? 0 : 1);
    return protocolNames.some((name) => {
      const known = this.#knownBy.get(name) ?? 0;
      return known - (except?.supports(name) === true ? 1 : 0) === others;
    });
  }

  /** Each member votes for the protocol it likes best of those all know; of equals the one that was voted for first. */
  selectProtocol(): string | null {
    const votes = new Map<string, number>();
    for (const member of this) {
      const choice = member.protocols.find(({ name }) => this.#knownBy.get(name) === this.#byId.size)?.name;
      if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1);
    }
    let selected: string | null = null;
    let most = 0;
    for (const [name, count] of votes) {
      if (count <= most) continue;
      selected = name;
      most = count;
    }
    return selected;
  }

  /** The longest of any member. */
  rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this) longest = Math.max(longest, member.rebalanceTimeoutMs);
    return longest;
  }

  #count(member: GroupMember, by: 1 | -1): void {
    this.#bytes += by * memberBytes(member);
    this.#assignmentBytes += by * member.assignment.length;
    for (const { name } of member.protocols) {
      const known = (this.#knownBy.get(name) ?? 0) + by;
      if (known === 0) this.#knownBy.delete(name);
      else this.#knownBy.set(name, known);
    }
  }
}
