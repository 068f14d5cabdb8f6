/**
 * A view over the header of one record batch, format v2 (magic 2), where it lies in a buffer. Nothing is copied and no
 * record is looked at. The layout, all big-endian (Kafka's `DefaultRecordBatch`):
 *
 *    0 int64  base offset                 27 int64 base timestamp
 *    8 int32  length of what follows      35 int64 maximum timestamp
 *   12 int32  partition leader epoch      43 int64 producer id
 *   16 int8   magic                       51 int16 producer epoch
 *   17 uint32 CRC-32C of all from 21 on   53 int32 base sequence
 *   21 int16  attributes                  57 int32 number of records
 *   23 int32  last offset delta           61 records
 */
import { crc32c } from "./crc32c.ts";

/** Bytes of the header, records excluded: no batch is shorter. */
export const batchHeaderBytes = 61;
/** Bytes before those that the length field counts. */
export const batchLengthPrefixBytes = 12;
export const batchMagic = 2;

export const noProducerId = -1;
export const noProducerEpoch = -1;
export const noSequence = -1;
export const noTimestamp = -1;

const lengthAt = 8;
const leaderEpochAt = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const baseTimestampAt = 27;
const maxTimestampAt = 35;
const producerIdAt = 43;
const producerEpochAt = 51;
const baseSequenceAt = 53;
const recordCountAt = 57;

const compressionMask = 0x07;
const logAppendTimeMask = 0x08;
const transactionalMask = 0x10;
const controlMask = 0x20;
const deleteHorizonMask = 0x40;

const two32 = 4_294_967_296;
const sequences = 2_147_483_648;

/** An int64 as a number. What is larger than 2^53 - 1 reads as that: no offset, id or time of ours is. */
export function readInt64(buffer: Buffer, at: number): number {
  const value = buffer.readInt32BE(at) * two32 + buffer.readUInt32BE(at + 4);
  return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value;
}

/** Writes an integer of at most 53 bits as an int64. */
export function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / two32), at);
  buffer.writeUInt32BE(((value % two32) + two32) % two32, at + 4);
}

/** Sequence numbers count from 0 to 2^31 - 1 and then begin at 0 again. */
export function addToSequence(sequence: number, delta: number): number {
  return (sequence + delta) % sequences;
}

/**
 * Bytes of the whole batch that begins at `offset`, as its length field says; 0 when the buffer does not hold a whole
 * header there, or when the field is smaller than a header. The batch itself may end past the buffer.
 */
export function batchSizeAt(buffer: Buffer, offset: number): number {
  if (offset + batchHeaderBytes > buffer.length) return 0;
  const size = buffer.readInt32BE(offset + lengthAt) + batchLengthPrefixBytes;
  return size < batchHeaderBytes ? 0 : size;
}

/**
 * The view can be moved, so that walking a buffer allocates nothing. The fields may be read only where `isWhole` (or the
 * owner's own bound) says that a header is there.
 */
export class RecordBatchView {
  buffer: Buffer;
  /** Where in the buffer the batch begins, in bytes. */
  position: number;

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer;
    this.position = position;
  }

  moveTo(buffer: Buffer, position: number): this {
    this.buffer = buffer;
    this.position = position;
    return this;
  }

  /** Is a whole batch with magic 2 here, as far as the lengths tell? */
  get isWhole(): boolean {
    const size = batchSizeAt(this.buffer, this.position);
    return size > 0 && this.position + size <= this.buffer.length && this.magic === batchMagic;
  }

  /** Bytes of the whole batch, the length prefix included. */
  get sizeBytes(): number {
    return this.buffer.readInt32BE(this.position + lengthAt) + batchLengthPrefixBytes;
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position);
  }

  /** Outside the CRC: the broker gives the offset in place. */
  set baseOffset(offset: number) {
    writeInt64(this.buffer, this.position, offset);
  }

  get partitionLeaderEpoch(): number {
    return this.buffer.readInt32BE(this.position + leaderEpochAt);
  }

  /** Outside the CRC as well. */
  set partitionLeaderEpoch(epoch: number) {
    this.buffer.writeInt32BE(epoch, this.position + leaderEpochAt);
  }

  get magic(): number {
    return this.buffer.readInt8(this.position + magicAt);
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + crcAt);
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.position + attributesAt);
  }

  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 mean nothing. */
  get compression(): number {
    return this.attributes & compressionMask;
  }

  /** The timestamps are the broker's (LogAppendTime), not the producer's. */
  get isLogAppendTime(): boolean {
    return (this.attributes & logAppendTimeMask) !== 0;
  }

  get isTransactional(): boolean {
    return (this.attributes & transactionalMask) !== 0;
  }

  /** Holds a transaction marker, which only brokers write. */
  get isControl(): boolean {
    return (this.attributes & controlMask) !== 0;
  }

  /** The base timestamp is the delete horizon of a compacted batch (KIP-534), which only brokers write. */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & deleteHorizonMask) !== 0;
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.position + lastOffsetDeltaAt);
  }

  /** Inside the CRC. */
  set lastOffsetDelta(delta: number) {
    this.buffer.writeInt32BE(delta, this.position + lastOffsetDeltaAt);
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  /** One past the last offset. */
  get endOffset(): number {
    return this.baseOffset + this.lastOffsetDelta + 1;
  }

  get baseTimestamp(): number {
    return readInt64(this.buffer, this.position + baseTimestampAt);
  }

  /** Largest timestamp of the records in ms; -1 when they have none. */
  get maxTimestamp(): number {
    return readInt64(this.buffer, this.position + maxTimestampAt);
  }

  /** Largest timestamp for look-ups: -1 also when compaction has left no record, whatever the header keeps. */
  get newestTimestamp(): number {
    return this.recordCount === 0 ? noTimestamp : this.maxTimestamp;
  }

  /** -1: not from an idempotent producer. */
  get producerId(): number {
    return readInt64(this.buffer, this.position + producerIdAt);
  }

  get hasProducerId(): boolean {
    return this.buffer.readInt32BE(this.position + producerIdAt) >= 0;
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.position + producerEpochAt);
  }

  /** Sequence number of the first record; -1 when not from an idempotent producer. */
  get baseSequence(): number {
    return this.buffer.readInt32BE(this.position + baseSequenceAt);
  }

  get lastSequence(): number {
    const first = this.baseSequence;
    return first === noSequence ? noSequence : addToSequence(first, this.lastOffsetDelta);
  }

  get recordCount(): number {
    return this.buffer.readInt32BE(this.position + recordCountAt);
  }

  /** The records as stored (perhaps compressed), without the header. */
  get records(): Buffer {
    return this.buffer.subarray(this.position + batchHeaderBytes, this.position + this.sizeBytes);
  }

  /** The whole batch. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeBytes);
  }

  /** The checksum of what the CRC field covers. The batch must be whole. */
  computeCrc(): number {
    return crc32c(this.buffer.subarray(this.position + attributesAt, this.position + this.sizeBytes));
  }

  get isCrcValid(): boolean {
    return this.computeCrc() === this.crc;
  }

  /**
   * Gives all records the broker's time: sets the attribute and the maximum timestamp, which then counts for each of
   * them, and makes the CRC anew. The base timestamp stays, as Kafka leaves it.
   */
  setLogAppendTime(wallMs: number): void {
    this.buffer.writeInt16BE(this.attributes | logAppendTimeMask, this.position + attributesAt);
    writeInt64(this.buffer, this.position + maxTimestampAt, wallMs);
    this.updateCrc();
  }

  updateCrc(): void {
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + crcAt);
  }
}

/** First byte that the CRC covers, counted from the batch's begin. */
export const batchCrcCoversFrom = attributesAt;

/**
 * The whole batches of a buffer one after the other, each as a view of its own; ends at the first place where none is.
 * For tools and tests: the append and read paths move one view instead.
 */
export function* wholeBatches(buffer: Buffer): Generator<RecordBatchView> {
  let position = 0;
  for (;;) {
    const batch = new RecordBatchView(buffer, position);
    if (!batch.isWhole) return;
    yield batch;
    position += batch.sizeBytes;
  }
}
