/**
 * Messages between the brokers of a cell. The two that carry the data path (append, ack) are binary and coalesced; the
 * others are rare and are JSON behind their type byte.
 *
 *   message := type(u8) body
 *   append  := headerBytes(u32) entryCount(u16) entry* chunkBytes*       headerBytes counts from the type byte
 *   entry   := stream(u32) highWatermark(f64) logStart(f64) chunkCount(u16) chunk*
 *   chunk   := baseOffset(f64) endOffset(f64) epoch(i32) startsSegment(u8) length(u32)
 *   ack     := entryCount(u16) { stream(u32) held(f64) logStart(f64) flags(u8) }*
 *
 * Little-endian. Offsets are integers below 2^53 kept in doubles. A stream is the leader's number for one partition in
 * one epoch on one connection, so an acknowledgement names the epoch of the append that it answers.
 */
import type { LogChunk, Offset } from "../log/log-contract.ts";

export const MessageType = { append: 1, ack: 2, json: 3, metadataEntry: 4 } as const;

/** Something a peer sent that no peer of ours would send: the connection is closed. */
export class PeerProtocolError extends Error {
  readonly code = "PEER_PROTOCOL_ERROR";
}

export interface AppendEntry {
  readonly stream: number;
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
  readonly chunks: readonly LogChunk[];
}

export interface AckEntry {
  readonly stream: number;
  readonly heldOffset: Offset;
  readonly logStartOffset: Offset;
  readonly accepted: boolean;
  readonly votes: boolean;
}

const appendHeaderBytes = 7;
const entryHeaderBytes = 22;
const chunkHeaderBytes = 25;
const ackEntryBytes = 21;

/** The message as chunks: one header, then each log chunk's own bytes, uncopied. */
export function encodeAppend(entries: readonly AppendEntry[]): Buffer[] {
  let headerBytes = appendHeaderBytes;
  for (const entry of entries) headerBytes += entryHeaderBytes + entry.chunks.length * chunkHeaderBytes;
  const header = Buffer.allocUnsafe(headerBytes);
  const out: Buffer[] = [header];
  header.writeUInt8(MessageType.append, 0);
  header.writeUInt32LE(headerBytes, 1);
  header.writeUInt16LE(entries.length, 5);
  let at = appendHeaderBytes;
  for (const entry of entries) {
    header.writeUInt32LE(entry.stream, at);
    header.writeDoubleLE(entry.highWatermark, at + 4);
    header.writeDoubleLE(entry.logStartOffset, at + 12);
    header.writeUInt16LE(entry.chunks.length, at + 20);
    at += entryHeaderBytes;
    for (const chunk of entry.chunks) {
      header.writeDoubleLE(chunk.baseOffset, at);
      header.writeDoubleLE(chunk.endOffset, at + 8);
      header.writeInt32LE(chunk.epoch, at + 16);
      header.writeUInt8(chunk.startsSegment ? 1 : 0, at + 20);
      header.writeUInt32LE(chunk.bytes.length, at + 21);
      at += chunkHeaderBytes;
      out.push(chunk.bytes);
    }
  }
  return out;
}

/** Reads an append message; chunk bytes are slices of it. */
export function decodeAppend(message: Buffer): AppendEntry[] {
  if (message.length < appendHeaderBytes) throw new PeerProtocolError("append shorter than its header");
  const headerBytes = message.readUInt32LE(1);
  if (headerBytes > message.length) throw new PeerProtocolError("append header longer than the message");
  const entryCount = message.readUInt16LE(5);
  const entries: AppendEntry[] = [];
  let at = appendHeaderBytes;
  let bytesAt = headerBytes;
  for (let i = 0; i < entryCount; i++) {
    if (at + entryHeaderBytes > headerBytes) throw new PeerProtocolError("append entry beyond the header");
    const chunkCount = message.readUInt16LE(at + 20);
    const chunks: LogChunk[] = [];
    const entry = {
      stream: message.readUInt32LE(at),
      highWatermark: message.readDoubleLE(at + 4),
      logStartOffset: message.readDoubleLE(at + 12),
      chunks,
    };
    at += entryHeaderBytes;
    if (at + chunkCount * chunkHeaderBytes > headerBytes)
      throw new PeerProtocolError("chunk headers beyond the header");
    for (let c = 0; c < chunkCount; c++) {
      const length = message.readUInt32LE(at + 21);
      if (bytesAt + length > message.length) throw new PeerProtocolError("chunk bytes beyond the message");
      chunks.push({
        baseOffset: message.readDoubleLE(at),
        endOffset: message.readDoubleLE(at + 8),
        epoch: message.readInt32LE(at + 16),
        startsSegment: message.readUInt8(at + 20) === 1,
        bytes: message.subarray(bytesAt, bytesAt + length),
      });
      at += chunkHeaderBytes;
      bytesAt += length;
    }
    entries.push(entry);
  }
  if (at !== headerBytes || bytesAt !== message.length)
    throw new PeerProtocolError("append has bytes that belong to no chunk");
  return entries;
}

export function encodeAcks(entries: readonly AckEntry[]): Buffer {
  const message = Buffer.allocUnsafe(3 + entries.length * ackEntryBytes);
  message.writeUInt8(MessageType.ack, 0);
  message.writeUInt16LE(entries.length, 1);
  let at = 3;
  for (const entry of entries) {
    message.writeUInt32LE(entry.stream, at);
    message.writeDoubleLE(entry.heldOffset, at + 4);
    message.writeDoubleLE(entry.logStartOffset, at + 12);
    message.writeUInt8((entry.accepted ? 1 : 0) | (entry.votes ? 2 : 0), at + 20);
    at += ackEntryBytes;
  }
  return message;
}

export function decodeAcks(message: Buffer): AckEntry[] {
  if (message.length < 3) throw new PeerProtocolError("ack shorter than its header");
  const count = message.readUInt16LE(1);
  if (message.length !== 3 + count * ackEntryBytes) throw new PeerProtocolError("ack length does not fit its count");
  const entries: AckEntry[] = [];
  for (let at = 3; at < message.length; at += ackEntryBytes) {
    const flags = message.readUInt8(at + 20);
    entries.push({
      stream: message.readUInt32LE(at),
      heldOffset: message.readDoubleLE(at + 4),
      logStartOffset: message.readDoubleLE(at + 12),
      accepted: (flags & 1) !== 0,
      votes: (flags & 2) !== 0,
    });
  }
  return entries;
}

/** A leader opens a stream to a replica: everything the replica needs to reconcile its log in one round trip. */
export interface AttachMessage {
  readonly kind: "attach";
  readonly stream: number;
  readonly topicId: string;
  readonly partition: number;
  readonly epoch: number;
  /** The leader's log end at its election: held to it, a follower has accepted the epoch. */
  readonly endAtElection: Offset;
  readonly logStartOffset: Offset;
  /** Base offset of the batch that holds the log start, as far as known; where a replica begins that must begin anew. */
  readonly firstOffset: Offset;
  readonly logEndOffset: Offset;
  readonly highWatermark: Offset;
  /**
   * Below it compaction has removed tombstones for their age: a replica that ends below and keeps what it has would keep
   * what they had deleted. Left out: none.
   */
  readonly tombstonesGoneBelow?: Offset;
  /** The leader's epoch history as [epoch, startOffset] pairs. */
  readonly epochs: readonly (readonly [number, Offset])[];
}

/** The replica reconciled; pushes start at `endOffset`. */
export interface AttachedMessage {
  readonly kind: "attached";
  readonly stream: number;
  readonly endOffset: Offset;
}

/** The replica has promised a newer epoch, or has no such replica (`promisedEpoch` -1): the stream is dead. */
export interface RefusedMessage {
  readonly kind: "refused";
  readonly stream: number;
  readonly promisedEpoch: number;
}

export interface HeartbeatMessage {
  readonly kind: "heartbeat";
  /** Brokers that the sender has heard within the silence bound. */
  readonly hears: readonly number[];
  /** Can the sender reach the metadata store, as far as it knows? */
  readonly storeReachable: boolean;
  /** Is the sender about to stop? Then it is to lead nothing, and nobody waits for its vote. */
  readonly draining: boolean;
  /** When it was sent, on the sender's monotonic clock. */
  readonly sentMs: number;
  /** `sentMs` of the newest heartbeat that came on this connection; null before the first. */
  readonly echoMs: number | null;
}

export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  readonly method: string;
  readonly body: unknown;
}

export interface AnswerMessage {
  readonly kind: "answer";
  readonly id: number;
  readonly body: unknown;
}

export type JsonMessage =
  | AttachMessage
  | AttachedMessage
  | RefusedMessage
  | HeartbeatMessage
  | CallMessage
  | AnswerMessage;

export function encodeJson(message: JsonMessage): Buffer {
  const text = JSON.stringify(message);
  const size = Buffer.byteLength(text);
  const out = Buffer.allocUnsafe(1 + size);
  out.writeUInt8(MessageType.json, 0);
  out.write(text, 1);
  return out;
}

/** What each kind must carry for the rest of the broker not to stumble; what is in a call is its method's business. */
const shapes: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  attach: {
    stream: isCount,
    topicId: isString,
    partition: isCount,
    epoch: isCount,
    endAtElection: isCount,
    logStartOffset: isCount,
    firstOffset: isCount,
    logEndOffset: isCount,
    highWatermark: isCount,
    tombstonesGoneBelow: (value) => value === undefined || isCount(value),
    epochs: (value) => isArrayOf(value, (pair) => isArrayOf(pair, isCount) && pair.length === 2),
  },
  attached: { stream: isCount, endOffset: isCount },
  refused: { stream: isCount, promisedEpoch: Number.isSafeInteger },
  heartbeat: {
    hears: (value) => isArrayOf(value, isCount),
    storeReachable: (value) => typeof value === "boolean",
    draining: (value) => typeof value === "boolean",
    sentMs: Number.isFinite,
    echoMs: (value) => value === null || Number.isFinite(value),
  },
  call: { id: isCount, method: isString },
  answer: { id: isCount },
};

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}

function isArrayOf(value: unknown, isElement: (element: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isElement);
}

/** Peers are authenticated by the cell's secret, so the shape is checked for sanity, not against malice. */
export function decodeJson(message: Buffer): JsonMessage {
  let value: unknown;
  try {
    value = JSON.parse(message.toString("utf8", 1));
  } catch (cause) {
    throw new PeerProtocolError("message is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || !("kind" in value))
    throw new PeerProtocolError("message without a kind");
  const kind = String(value.kind);
  const shape = Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (shape === undefined) throw new PeerProtocolError("message of unknown kind");
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [name, isRight] of Object.entries(shape))
    if (!isRight(fields[name])) throw new PeerProtocolError(`${kind} with a wrong ${name}`);
  return value as JsonMessage;
}

/** An entry of the metadata log that the sender saw committed: type(u8) seq(f64) entry. */
export function encodeMetadataEntry(seq: number, entry: Uint8Array): Buffer[] {
  const header = Buffer.allocUnsafe(9);
  header.writeUInt8(MessageType.metadataEntry, 0);
  header.writeDoubleLE(seq, 1);
  return [header, Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength)];
}

export function decodeMetadataEntry(message: Buffer): { readonly seq: number; readonly entry: Buffer } {
  if (message.length < 9) throw new PeerProtocolError("metadata entry shorter than its header");
  return { seq: message.readDoubleLE(1), entry: message.subarray(9) };
}
