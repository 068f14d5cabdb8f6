/**
 * Snappy as Kafka uses it. The Java client writes the blocks of snappy-java, each a raw Snappy stream with its length in
 * front; librdkafka and others write one raw stream. Both are read; the Java form, which every client knows, is written.
 *
 * A raw stream: varint length of the unfolded bytes, then elements: literals, or copies of 1 to 64 bytes from before.
 */

/** The Java form: this, a version and the oldest version that can read it (int32 each), then int32 length and block, repeated. */
const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const javaHeaderBytes = javaMagic.length + 8;
const javaVersion = 1;
/** Bytes unfolded of one block, as snappy-java takes them. */
const blockBytes = 32 * 1024;

const tableBits = 14;
/** Multiplier of Snappy's hash of four bytes. */
const hashFactor = 0x1e35a7bd;

export class SnappyError extends Error {
  override readonly name = "SnappyError";
}

/** Throws a SnappyError when the bytes are damaged or unfold to more than `bytesMax`. */
export function decompressSnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < javaHeaderBytes || bytes.compare(javaMagic, 0, javaMagic.length, 0, javaMagic.length) !== 0) {
    return unfold(bytes, bytesMax);
  }
  const blocks: Buffer[] = [];
  let left = bytesMax;
  for (let at = javaHeaderBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new SnappyError("the bytes end inside a block's length");
    const size = bytes.readUInt32BE(at);
    at += 4;
    if (at + size > bytes.length) throw new SnappyError("the bytes end inside a block");
    const block = unfold(bytes.subarray(at, at + size), left);
    left -= block.length;
    blocks.push(block);
    at += size;
  }
  return Buffer.concat(blocks);
}

/** One raw stream. */
function unfold(bytes: Buffer, bytesMax: number): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    if (byte === undefined || shift > 28) throw new SnappyError("no length");
    at += 1;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > bytesMax) throw new SnappyError(`unfolds to ${length} bytes, more than ${bytesMax}`);
  // No element makes more than 64 bytes of 2: a longer claim is a lie, and is not worth the memory.
  if (length > bytes.length * 32) throw new SnappyError(`${bytes.length} bytes cannot unfold to ${length}`);
  const target = Buffer.allocUnsafeSlow(length);
  let end = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    at += 1;
    if ((tag & 3) === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const size = count - 59;
        if (at + size > bytes.length) throw new SnappyError("the bytes end inside a literal's length");
        count = bytes.readUIntLE(at, size);
        at += size;
      }
      count += 1;
      if (at + count > bytes.length || end + count > length) throw new SnappyError("a literal that is too long");
      bytes.copy(target, end, at, at + count);
      at += count;
      end += count;
      continue;
    }
    const size = copyBytes[tag & 3] as number;
    if (at + size > bytes.length) throw new SnappyError("the bytes end inside a copy");
    const distance = (tag & 3) === 1 ? ((tag >>> 5) << 8) | (bytes[at] as number) : bytes.readUIntLE(at, size);
    const count = (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    at += size;
    if (distance === 0 || distance > end || end + count > length) throw new SnappyError("a copy from nowhere");
    copyWithin(target, end, distance, count);
    end += count;
  }
  if (end !== length) throw new SnappyError("fewer bytes than were told");
  return target;
}

/** Bytes of a copy's distance, by the low two bits of its tag. */
const copyBytes = [0, 1, 2, 4];

/** Copies from `distance` bytes before `at`; a copy may run into itself, which repeats it. */
export function copyWithin(target: Buffer, at: number, distance: number, count: number): void {
  const from = at - distance;
  if (distance >= count) {
    target.copyWithin(at, from, from + count);
    return;
  }
  for (let index = 0; index < count; index += 1) target[at + index] = target[from + index] as number;
}

export function compressSnappy(bytes: Buffer): Buffer {
  const header = Buffer.alloc(javaHeaderBytes);
  javaMagic.copy(header);
  header.writeInt32BE(javaVersion, javaMagic.length);
  header.writeInt32BE(javaVersion, javaMagic.length + 4);
  const parts: Buffer[] = [header];
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const block = fold(bytes.subarray(from, Math.min(bytes.length, from + blockBytes)));
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/** One raw stream of at most `blockBytes` bytes: greedy, with a table of the last place of every four bytes. */
function fold(bytes: Buffer): Buffer {
  const target = Buffer.allocUnsafe(bytes.length + Math.ceil(bytes.length / 6) + 32);
  let end = 0;
  for (let left = bytes.length; ; left >>>= 7) {
    target[end++] = left < 0x80 ? left : (left & 0x7f) | 0x80;
    if (left < 0x80) break;
  }
  const table = new Uint16Array(1 << tableBits);
  let literal = 0;
  let at = 1;
  while (at + 4 <= bytes.length) {
    const four = bytes.readInt32LE(at);
    const slot = Math.imul(four, hashFactor) >>> (32 - tableBits);
    const candidate = table[slot] as number;
    table[slot] = at;
    if (candidate >= at || bytes.readInt32LE(candidate) !== four) {
      at += 1;
      continue;
    }
    end = putLiteral(target, end, bytes, literal, at);
    let count = 4;
    while (at + count < bytes.length && bytes[candidate + count] === bytes[at + count]) count += 1;
    end = putCopy(target, end, at - candidate, count);
    at += count;
    literal = at;
  }
  end = putLiteral(target, end, bytes, literal, bytes.length);
  return target.subarray(0, end);
}

function putLiteral(target: Buffer, end: number, bytes: Buffer, from: number, to: number): number {
  const count = to - from - 1;
  if (count < 0) return end;
  let at = end;
  if (count < 60) {
    target[at++] = count << 2;
  } else if (count < 256) {
    target[at++] = 60 << 2;
    target[at++] = count;
  } else {
    target[at++] = 61 << 2;
    at = target.writeUInt16LE(count, at);
  }
  return at + bytes.copy(target, at, from, to);
}

function putCopy(target: Buffer, end: number, distance: number, count: number): number {
  let at = end;
  for (let left = count; left > 0; ) {
    const size = Math.min(left, 64);
    target[at] = ((size - 1) << 2) | 2;
    at = target.writeUInt16LE(distance, at + 1);
    left -= size;
  }
  return at;
}
