/**
 * JoinGroup, v0 to v9.
 *
 * Answered when the group's rebalance has all its members, or at once where no rebalance is needed. What decides is
 * `broker/coordinator/group/classic-group.ts`.
 *
 * v1 rebalance timeout (before: the session timeout); v4 new members are given an id first (KIP-394); v5 static members
 * (KIP-345); v7 protocol type in the answer (KIP-559); v8 a reason, for logs only (KIP-800); v9 a leader may be told to
 * leave the assignment as it is (KIP-814).
 */
import { errorCode } from "../../shared/kafka/error-codes.ts";
import { joinGroup } from "../../shared/kafka/schema/join-group.ts";
import { randomUuid } from "../../shared/ports/random.ts";
import type { JoinAnswer } from "../coordinator/group/group-contract.ts";
import { namedGroup } from "./context/group-names.ts";
import type { Handler } from "./context/handler.ts";
import { groupRequestBytes, memberNameCharactersMax } from "./limits.ts";

const idsFirstFrom = 4;
const nullProtocolFrom = 7;
const skippingFrom = 9;

export const joinGroupHandler: Handler<typeof joinGroup> = {
  api: joinGroup,
  minVersion: joinGroup.versions.min,
  maxVersion: joinGroup.versions.max,
  memoryEstimate: groupRequestBytes,
  async handle({ services, session, version, clientId }, request) {
    const { groupInstanceId, memberId, protocols, sessionTimeoutMs, rebalanceTimeoutMs, protocolType } = request;
    const name = namedGroup(session, request.groupId, { mayBeEmpty: false });
    if (typeof name === "string") return refused(errorCode[name], memberId, version);
    const answer = await services.groups.join(
      name,
      {
        memberId,
        newMemberId: newMemberId(groupInstanceId ?? clientId ?? "", dashed(randomUuid(services.random))),
        groupInstanceId,
        clientId: clientId ?? "",
        clientHost: session.clientHost,
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
        protocolType,
        // Copied: a group outlives the frame in which they came.
        protocols: protocols.map((protocol) => ({ name: protocol.name, metadata: Buffer.from(protocol.metadata) })),
        requireKnownMemberId: version >= idsFirstFrom && groupInstanceId === null,
        supportsSkippingAssignment: version >= skippingFrom,
      },
      (run) => session.whenEnding(run),
    );
    return responseOf(answer, version);
  },
};

function responseOf(answer: JoinAnswer, version: number) {
  const { error, generationId, protocolType, leader, memberId, skipAssignment, members } = answer;
  return {
    errorCode: errorCode[error],
    generationId,
    protocolType,
    protocolName: answer.protocolName ?? (version >= nullProtocolFrom ? null : ""),
    leader,
    skipAssignment: version >= skippingFrom && skipAssignment,
    memberId,
    members,
  };
}

function refused(code: number, memberId: string, version: number) {
  const protocolName = version >= nullProtocolFrom ? null : "";
  return { errorCode: code, protocolName, leader: "", memberId, members: [] };
}

/**
 * A member is called after its client, so that operators know it. No more of a long name than that: together with the UUID
 * it must be a string that the protocol can carry, never cut inside a character.
 */
function newMemberId(client: string, uuid: string): string {
  return `${client.slice(0, memberNameCharactersMax).toWellFormed()}-${uuid}`;
}

/** A UUID as people write it. */
function dashed(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
