/**
 * LZ4 in its frame format, as Kafka uses it. Frames with linked blocks, checksums and sizes are read (librdkafka writes
 * some); what is written is what the Java client writes: independent blocks of 64 KiB, no checksums but the header's.
 *
 * A frame: magic, flags, block descriptor, perhaps the content's size and a dictionary's id, a byte of header checksum;
 * then blocks, each with its length in front (the highest bit: stored as it is), ended by a length of 0.
 */
import { copyWithin } from "./snappy.ts";

const magic = 0x184d2204;
const versionMask = 0xc0;
const version1 = 0x40;
const independentFlag = 0x20;
const blockChecksumFlag = 0x10;
const contentSizeFlag = 0x08;
const contentChecksumFlag = 0x04;
const dictionaryFlag = 0x01;
/** Descriptor of blocks of at most 64 KiB. */
const blocks64KiB = 0x40;
const blockBytes = 64 * 1024;
const storedFlag = 0x8000_0000;

/** A block ends in at least this many literals, and no match begins in its last `matchFreeBytes`. */
const lastLiterals = 5;
const matchFreeBytes = 12;
const matchMin = 4;
const tableBits = 14;
const hashFactor = 2_654_435_761 | 0;

export class Lz4Error extends Error {
  override readonly name = "Lz4Error";
}

/** Unfolded bytes; blocks may copy from those before them. */
class Output {
  memory: Buffer;
  end = 0;
  readonly #bytesMax: number;

  constructor(size: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.memory = Buffer.allocUnsafeSlow(Math.min(size, bytesMax));
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.end + count;
    if (needed > this.#bytesMax) throw new Lz4Error(`unfolds to more than ${this.#bytesMax} bytes`);
    if (needed <= this.memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(needed, this.memory.length * 2)));
    this.memory.copy(grown, 0, 0, this.end);
    this.memory = grown;
  }
}

/** Throws an Lz4Error when the bytes are damaged or unfold to more than `bytesMax`. Checksums are not checked: the batch has one. */
export function decompressLz4(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw new Lz4Error("no frame");
  const flags = bytes[4] as number;
  if ((flags & versionMask) !== version1) throw new Lz4Error("a frame of an unknown version");
  if ((flags & dictionaryFlag) !== 0) throw new Lz4Error("a frame with a dictionary");
  const output = new Output(Math.max(blockBytes, bytes.length * 4), bytesMax);
  let at = 7 + ((flags & contentSizeFlag) === 0 ? 0 : 8);
  for (;;) {
    if (at + 4 > bytes.length) throw new Lz4Error("the bytes end before the frame does");
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const isStored = word >= storedFlag;
    const end = at + (isStored ? word - storedFlag : word);
    if (end > bytes.length) throw new Lz4Error("the bytes end inside a block");
    if (isStored) {
      output.reserve(end - at);
      output.end += bytes.copy(output.memory, output.end, at, end);
    } else {
      unfold(bytes, at, end, output);
    }
    at = end + ((flags & blockChecksumFlag) === 0 ? 0 : 4);
  }
  if ((flags & contentChecksumFlag) !== 0 && at + 4 > bytes.length) throw new Lz4Error("no content checksum");
  return output.memory.subarray(0, output.end);
}

/** One block: literals and a copy in turn; the last has no copy. */
function unfold(bytes: Buffer, from: number, to: number, output: Output): void {
  let at = from;
  const length = (start: number): number => {
    let count = start;
    if (start < 15) return count;
    for (;;) {
      if (at >= to) throw new Lz4Error("the block ends inside a length");
      const byte = bytes[at] as number;
      at += 1;
      count += byte;
      if (byte < 255) return count;
    }
  };
  while (at < to) {
    const token = bytes[at] as number;
    at += 1;
    const literals = length(token >>> 4);
    if (at + literals > to) throw new Lz4Error("a literal that is too long");
    output.reserve(literals);
    bytes.copy(output.memory, output.end, at, at + literals);
    at += literals;
    output.end += literals;
    if (at === to) return;
    if (at + 2 > to) throw new Lz4Error("the block ends inside a copy");
    const distance = bytes.readUInt16LE(at);
    at += 2;
    const count = length(token & 15) + matchMin;
    if (distance === 0 || distance > output.end) throw new Lz4Error("a copy from nowhere");
    output.reserve(count);
    copyWithin(output.memory, output.end, distance, count);
    output.end += count;
  }
}

export function compressLz4(bytes: Buffer): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt32LE(magic);
  header[4] = version1 | independentFlag;
  header[5] = blocks64KiB;
  header[6] = (shortXxHash32(header.subarray(4, 6)) >>> 8) & 0xff;
  const parts: Buffer[] = [header];
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const block = bytes.subarray(from, Math.min(bytes.length, from + blockBytes));
    const folded = fold(block);
    const size = Buffer.alloc(4);
    const isSmaller = folded.length < block.length;
    size.writeUInt32LE(isSmaller ? folded.length : block.length + storedFlag);
    parts.push(size, isSmaller ? folded : block);
  }
  parts.push(Buffer.alloc(4));
  return Buffer.concat(parts);
}

/** One block of at most 64 KiB: greedy, with a table of the last place of every four bytes. */
function fold(bytes: Buffer): Buffer {
  const target = Buffer.allocUnsafe(bytes.length + Math.ceil(bytes.length / 255) + 16);
  const table = new Uint16Array(1 << tableBits);
  const matchEnd = bytes.length - lastLiterals;
  let end = 0;
  let literal = 0;
  let at = 1;
  while (at < bytes.length - matchFreeBytes) {
    const four = bytes.readInt32LE(at);
    const slot = Math.imul(four, hashFactor) >>> (32 - tableBits);
    const candidate = table[slot] as number;
    table[slot] = at;
    if (candidate >= at || bytes.readInt32LE(candidate) !== four) {
      at += 1;
      continue;
    }
    let count = matchMin;
    while (at + count < matchEnd && bytes[candidate + count] === bytes[at + count]) count += 1;
    end = putLiterals(target, end, bytes, { from: literal, to: at, match: count - matchMin });
    end = target.writeUInt16LE(at - candidate, end);
    if (count - matchMin >= 15) end = putLength(target, end, count - matchMin - 15);
    at += count;
    literal = at;
  }
  end = putLiterals(target, end, bytes, { from: literal, to: bytes.length, match: 0 });
  return target.subarray(0, end);
}

/** The token and the literals of one sequence. */
function putLiterals(
  target: Buffer,
  end: number,
  bytes: Buffer,
  part: { readonly from: number; readonly to: number; readonly match: number },
): number {
  const count = part.to - part.from;
  let at = end;
  target[at++] = (Math.min(count, 15) << 4) | Math.min(part.match, 15);
  if (count >= 15) at = putLength(target, at, count - 15);
  return at + bytes.copy(target, at, part.from, part.to);
}

function putLength(target: Buffer, end: number, length: number): number {
  let at = end;
  let left = length;
  for (; left >= 255; left -= 255) target[at++] = 255;
  target[at++] = left;
  return at;
}

/** xxHash32 with seed 0 of fewer than four bytes: what the header's checksum is made of. */
function shortXxHash32(bytes: Buffer): number {
  let hash = (374_761_393 + bytes.length) | 0;
  for (const byte of bytes) {
    hash = (hash + Math.imul(byte, 374_761_393)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), 2_654_435_761);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_519);
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_917);
  return (hash ^ (hash >>> 16)) >>> 0;
}
