/** What a group's members take of a broker's memory: bytes, estimated upwards, from nothing but what clients send. */
import type { GroupProtocol, JoinInput, MemberValue } from "./group-contract.ts";
import { bytesPerCharacter, memberHeapBytes, pendingMemberHeapBytes, protocolHeapBytes } from "./limits.ts";

type CountedMember = Pick<MemberValue, "memberId" | "groupInstanceId" | "clientId" | "clientHost" | "protocols">;

export function protocolBytes(protocols: readonly GroupProtocol[]): number {
  let bytes = 0;
  for (const { name, metadata } of protocols)
    bytes += protocolHeapBytes + name.length * bytesPerCharacter + metadata.length;
  return bytes;
}

/** Without its assignment. */
export function memberBytes({ memberId, groupInstanceId, clientId, clientHost, protocols }: CountedMember): number {
  const characters = memberId.length + (groupInstanceId?.length ?? 0) + clientId.length + clientHost.length;
  return memberHeapBytes + characters * bytesPerCharacter + protocolBytes(protocols);
}

/**
 * By how much a group grows when it takes in a join. `known`: the member that joins again or comes back, `isPending`: the
 * client was given the id that it comes with. A protocol that is named twice counts twice here, and is kept once.
 */
export function joinGrowth(request: JoinInput, known: CountedMember | undefined, isPending: boolean): number {
  const { memberId, newMemberId, groupInstanceId, requireKnownMemberId, protocols } = request;
  if (known !== undefined && memberId !== "") return protocolBytes(protocols) - protocolBytes(known.protocols);
  if (known !== undefined) return memberBytes({ ...request, memberId: newMemberId }) - memberBytes(known);
  if (memberId !== "") return memberBytes(request) - (isPending ? pendingMemberHeapBytes : 0);
  if (groupInstanceId === null && requireKnownMemberId) return pendingMemberHeapBytes;
  return memberBytes({ ...request, memberId: newMemberId });
}
