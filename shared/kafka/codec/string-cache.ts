/**
 * Short ASCII strings read from the wire, remembered: a broker meets the same topic, client and host names in nearly
 * every request. A remembered string needs no allocation, and as the same object each time its hash is known already
 * when it is looked up in a Map.
 *
 * Direct-mapped and of fixed size: a collision replaces. Peers can make it miss, which costs what having no cache
 * would.
 */

/** Longest string remembered, in bytes. */
const cachedStringBytesMax = 64;

/** A power of two. At most 1,024 strings of 64 bytes are held: 64 KiB. */
const slotCount = 1_024;

const slots: string[] = Array<string>(slotCount).fill("");

/** The UTF-8 string between the offsets, which must lie in the buffer. */
export function readCachedString(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > cachedStringBytesMax) return buffer.toString("utf8", start, end);
  let hash = length;
  let bits = 0;
  for (let at = start; at < end; at += 1) {
    const byte = buffer[at] as number;
    bits |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (bits > 0x7f) return buffer.toString("utf8", start, end);
  const slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
  const known = slots[slot] as string;
  if (known.length === length && equals(known, buffer, start)) return known;
  const fresh = buffer.toString("latin1", start, end);
  slots[slot] = fresh;
  return fresh;
}

function equals(text: string, buffer: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== buffer[start + index]) return false;
  }
  return true;
}
