import type { GroupProtocol, JoinedMember, MemberDescription, MemberValue, Ticket } from "./group-contract.ts";

/** What a member says of itself when it joins. */
export type MemberProfile = Pick<
  MemberValue,
  "groupInstanceId" | "clientId" | "clientHost" | "rebalanceTimeoutMs" | "sessionTimeoutMs" | "protocols"
>;

export const noBytes = Buffer.alloc(0);

/**
 * One member of a classic group. Once it is in a `MemberTable`, its tickets, protocols and assignment are changed through
 * that only, which counts them.
 * Bytes are copied when they come in: those of a request are views of its frame.
 */
export class GroupMember {
  readonly memberId: string;
  /** Null: a dynamic member. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** In order of preference, no name twice. */
  protocols: readonly GroupProtocol[];
  /** Of the last generation that became stable; empty before. */
  assignment: Buffer = noBytes;
  joinTicket: Ticket | undefined;
  syncTicket: Ticket | undefined;
  /** Took part in no generation yet. */
  isNew: boolean;
  /** The client knows its id, so it can come back with it when its connection ends. */
  isIdKnown: boolean;
  /** Has been told of the current generation and did not ask for its assignment yet. */
  owesSync = false;
  /** Removed at this time unless it is heard of; infinity while it waits for us. */
  sessionDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(
    memberId: string,
    profile: MemberProfile,
    known: { readonly isNew: boolean; readonly isIdKnown: boolean },
  ) {
    this.memberId = memberId;
    this.groupInstanceId = profile.groupInstanceId;
    this.clientId = profile.clientId;
    this.clientHost = profile.clientHost;
    this.rebalanceTimeoutMs = profile.rebalanceTimeoutMs;
    this.sessionTimeoutMs = profile.sessionTimeoutMs;
    this.protocols = ownProtocols(profile.protocols);
    this.isNew = known.isNew;
    this.isIdKnown = known.isIdKnown;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  get isWaiting(): boolean {
    return this.joinTicket !== undefined || this.syncTicket !== undefined;
  }

  supports(protocolName: string): boolean {
    return this.protocols.some(({ name }) => name === protocolName);
  }

  /** What it has to say under a protocol; empty when it does not know that. */
  metadataFor(protocolName: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? noBytes;
  }

  /** Does a join say nothing new? */
  matches(protocols: readonly GroupProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      this.protocols.every(({ name, metadata }, index) => {
        const theirs = protocols[index];
        return theirs !== undefined && theirs.name === name && theirs.metadata.equals(metadata);
      })
    );
  }

  joined(protocolName: string | null): JoinedMember {
    const { memberId, groupInstanceId } = this;
    return { memberId, groupInstanceId, metadata: this.metadataFor(protocolName) };
  }

  describe(protocolName: string | null): MemberDescription {
    const { clientId, clientHost, assignment } = this;
    return { ...this.joined(protocolName), clientId, clientHost, assignment };
  }

  toValue(assignment: Buffer): MemberValue {
    const { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = this;
    return {
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      sessionTimeoutMs,
      protocols,
      assignment,
    };
  }
}

/** Copies; of a name that is listed twice the first counts. */
export function ownProtocols(protocols: readonly GroupProtocol[]): readonly GroupProtocol[] {
  const byName = new Map<string, GroupProtocol>();
  for (const { name, metadata } of protocols) {
    if (!byName.has(name)) byName.set(name, { name, metadata: Buffer.from(metadata) });
  }
  return [...byName.values()];
}
