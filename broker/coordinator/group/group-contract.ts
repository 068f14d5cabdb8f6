/**
 * What goes into a classic group and what comes out of it, as plain data. The group itself is in `classic-group.ts`, the
 * bytes of a stored group in `group-value.ts`.
 *
 * Times named `nowMs` are monotonic milliseconds of the caller's clock; a group never asks for the time.
 */
import type { ErrorName } from "../../../shared/kafka/error-codes.ts";

/** What a request to a group can be answered with, beside NONE. */
export type GroupError = Exclude<ErrorName, "NONE">;

/**
 * One waiting request of a client; compared by identity. A ticket that was handed to `join` or `sync` is answered exactly
 * once (at once, or by the effects of a later call), or never after it was withdrawn.
 */
export type Ticket = object;

/** The cell's configuration that groups obey. */
export interface GroupConfig {
  /** Session timeouts outside of these two are refused. */
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Members of a group at most. */
  readonly groupMaxSize: number;
  /** How long an empty group waits for more members once the first has come. */
  readonly initialRebalanceDelayMs: number;
}

/** A protocol (an assignor, for consumers) that a member knows, and what it has to tell the leader under it. */
export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinInput {
  /** Empty: the client has no id yet. */
  readonly memberId: string;
  /** The id for a client that has none: `clientId-uuid`, or `groupInstanceId-uuid` for a static member. */
  readonly newMemberId: string;
  /** Null: a dynamic member. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  /** Versions without one (v0) hand in the session timeout. */
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  /** In the order in which the member prefers them. */
  readonly protocols: readonly GroupProtocol[];
  /** v4+: a new dynamic member is given an id and must join again with it (KIP-394). */
  readonly requireKnownMemberId: boolean;
  /** v9+: a leader that comes back can be told to leave the assignment as it is (KIP-814). */
  readonly supportsSkippingAssignment: boolean;
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

export interface SyncInput {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
  /** Null: not told (before v5), not checked. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** The leader's; ignored from others. */
  readonly assignments: readonly MemberAssignment[];
}

export interface HeartbeatInput {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

export interface LeavingMember {
  /** Empty together with an instance id: whoever holds that (as an operator removes static members). */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeaveInput {
  /** One for versions before v3. */
  readonly members: readonly LeavingMember[];
}

export interface LeftMember extends LeavingMember {
  readonly error: GroupError | "NONE";
}

export interface LeaveOutcome {
  readonly effects: Effects;
  /** In the order of the request. */
  readonly members: readonly LeftMember[];
}

/** What the leader is told of a member. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** Under the chosen protocol. */
  readonly metadata: Buffer;
}

export interface JoinAnswer {
  readonly kind: "join";
  readonly ticket: Ticket;
  readonly error: GroupError | "NONE";
  readonly memberId: string;
  /** -1 with most errors. */
  readonly generationId: number;
  readonly protocolType: string | null;
  /** Null stands for none; versions before v7 cannot carry null and are sent an empty name. */
  readonly protocolName: string | null;
  /** Empty: none. */
  readonly leader: string;
  readonly skipAssignment: boolean;
  /** Of the leader's answer only. */
  readonly members: readonly JoinedMember[];
}

export interface SyncAnswer {
  readonly kind: "sync";
  readonly ticket: Ticket;
  readonly error: GroupError | "NONE";
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export type Answer = JoinAnswer | SyncAnswer;

/** A member as it is stored. */
export interface MemberValue {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /**
   * All protocols of the member in its order of preference, with their metadata. (Kafka stores the chosen one's only, so
   * that after a failover a rolling change of assignors fails.) The chosen one's metadata is the member's subscription.
   */
  readonly protocols: readonly GroupProtocol[];
  readonly assignment: Buffer;
}

/** A group as it is to be stored: all of it but the time. */
export interface UnstampedGroupValue {
  /** Null: never had a member. */
  readonly protocolType: string | null;
  /** Null: no member, no protocol chosen. */
  readonly protocolName: string | null;
  readonly generationId: number;
  readonly leader: string | null;
  /** Empty exactly when the group is. */
  readonly members: readonly MemberValue[];
}

/**
 * A group as it is stored. The state machine knows monotonic time only, so the shell adds the wall time when it encodes
 * the value. That is the moment of the change (a group writes when it changes, and not otherwise), and for an empty group
 * the moment from which its offsets age.
 */
export interface GroupValue extends UnstampedGroupValue {
  readonly stateTimestampMs: number;
}

/**
 * A record to append with acks=all. Afterwards, call `written` or `writeFailed` with the token, also when the group has
 * changed since; a token that was superseded does nothing.
 */
export interface GroupWrite {
  readonly value: UnstampedGroupValue;
  readonly token: object;
}

/** What a call makes the shell do. The answers can be sent at once; what waits for the write is not among them. */
export interface Effects {
  readonly answers: readonly Answer[];
  readonly write?: GroupWrite;
}

/** As Kafka prints them. */
export type GroupState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";

export interface MemberDescription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Under the chosen protocol; empty while the group is not stable. */
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

export interface GroupDescription {
  readonly state: GroupState;
  /** Empty: none. */
  readonly protocolType: string;
  /** Empty unless the group is stable. */
  readonly protocol: string;
  readonly members: readonly MemberDescription[];
}
