/**
 * The value of a group's record in an internal partition. Big-endian; strings and bytes have their length + 1 in front, as
 * an unsigned varint (0: null), arrays likewise, as in Kafka's flexible messages:
 *
 *   int16 version (1)
 *   string? protocol type, string? protocol name, int32 generation, string? leader's member id
 *   int64 wall time of the change in ms
 *   members: string member id, string? group instance id, string client id, string client host,
 *            int32 rebalance timeout ms, int32 session timeout ms,
 *            protocols, the preferred one first: string name, bytes metadata
 *            bytes assignment
 *
 * Written as a whole each time, never changed; the newest record of a group counts. A later version may be read by older
 * brokers no more, so it needs a flag of the cell before anybody writes it.
 */
import { Reader } from "../../../shared/kafka/codec/reader.ts";
import { Writer } from "../../../shared/kafka/codec/writer.ts";
import type { GroupProtocol, GroupValue, MemberValue, UnstampedGroupValue } from "./group-contract.ts";

const version = 1;
const names = { message: "GroupValue", paths: ["version", "group", "members", "protocols"] };
const field = { version: 0, group: 1, members: 2, protocols: 3 } as const;
/** Four strings, two timeouts, protocols and assignment, all empty. */
const memberBytesMin = 14;
const protocolBytesMin = 2;

/** The record was written by a newer broker. */
export class UnknownGroupVersionError extends Error {
  override readonly name = "UnknownGroupVersionError";
  readonly code = "GROUP_VERSION_UNKNOWN";

  constructor(found: number) {
    super(`a stored group has format version ${found}, this broker reads ${version}: let a newer broker take over`);
  }
}

/** The moment of the change, on the wall clock. */
export function stampGroupValue(value: UnstampedGroupValue, stateTimestampMs: number): GroupValue {
  return { ...value, stateTimestampMs };
}

/** Throws `UnencodableMessageError` for what no request can have brought in, such as a string beyond 32 KiB. */
export function encodeGroupValue(value: GroupValue): Buffer {
  const writer = new Writer(names);
  writer.field = field.version;
  writer.int16(version);
  writer.field = field.group;
  writer.compactNullableString(value.protocolType);
  writer.compactNullableString(value.protocolName);
  writer.int32(value.generationId);
  writer.compactNullableString(value.leader);
  writer.int64Exact(value.stateTimestampMs);
  writer.field = field.members;
  writer.compactArrayLength(value.members);
  for (const member of value.members) writeMember(writer, member);
  return Buffer.concat(writer.chunks());
}

/** Throws `UnknownGroupVersionError`, or `MalformedMessageError` for bytes that are no group. The result is a copy. */
export function decodeGroupValue(bytes: Buffer): GroupValue {
  const reader = new Reader(bytes, 0, names);
  reader.field = field.version;
  const found = reader.int16();
  if (found !== version) throw new UnknownGroupVersionError(found);
  reader.field = field.group;
  const protocolType = reader.compactNullableString();
  const protocolName = reader.compactNullableString();
  const generationId = reader.int32();
  const leader = reader.compactNullableString();
  const stateTimestampMs = reader.int64Exact();
  reader.field = field.members;
  const members: MemberValue[] = [];
  for (let left = reader.compactArrayLength(memberBytesMin); left > 0; left -= 1) members.push(readMember(reader));
  reader.finish();
  return { protocolType, protocolName, generationId, leader, stateTimestampMs, members };
}

function writeMember(writer: Writer, member: MemberValue): void {
  writer.field = field.members;
  writer.compactString(member.memberId);
  writer.compactNullableString(member.groupInstanceId);
  writer.compactString(member.clientId);
  writer.compactString(member.clientHost);
  writer.int32(member.rebalanceTimeoutMs);
  writer.int32(member.sessionTimeoutMs);
  writer.field = field.protocols;
  writer.compactArrayLength(member.protocols);
  for (const { name, metadata } of member.protocols) {
    writer.compactString(name);
    writer.compactBytes(metadata);
  }
  writer.field = field.members;
  writer.compactBytes(member.assignment);
}

function readMember(reader: Reader): MemberValue {
  reader.field = field.members;
  const memberId = reader.compactString();
  const groupInstanceId = reader.compactNullableString();
  const clientId = reader.compactString();
  const clientHost = reader.compactString();
  const rebalanceTimeoutMs = reader.int32();
  const sessionTimeoutMs = reader.int32();
  reader.field = field.protocols;
  const protocols: GroupProtocol[] = [];
  for (let left = reader.compactArrayLength(protocolBytesMin); left > 0; left -= 1) {
    protocols.push({ name: reader.compactString(), metadata: Buffer.from(reader.compactBytes()) });
  }
  reader.field = field.members;
  const assignment = Buffer.from(reader.compactBytes());
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
