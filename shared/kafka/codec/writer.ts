import { recordsCopyBytesMax, stringBytesMax, writerSlabBytes } from "./limits.ts";
import { type UnencodableMessageCode, UnencodableMessageError } from "./message-error.ts";
import { UUID_BYTES, UUID_CHARS } from "./uuid.ts";

const INT32_SPAN = 4_294_967_296;
/** Strings up to this many characters are written by a loop when they are ASCII: twice as quick as a native call. */
const LOOPED_STRING_CHARS_MAX = 32;
/** The widest scalar, in bytes: what one `#reserve` must leave room for at least. */
const SCALAR_BYTES_MAX = 8;

/** The slab that the next message begins in; undefined while a writer has it. */
let slab: { buffer: Buffer; used: number } | undefined;

interface Cut {
  /** Bytes of the message written into the buffer before the chunk. */
  readonly at: number;
  readonly chunk: Buffer;
}

/**
 * Writes wire types into one message. Small fields gather in a growing buffer, taken from a slab that successive
 * messages share; large record data is never copied but cut in between (see `chunks`).
 *
 * A writer serves one message: construct, write, `chunks()`. A writer that threw is dropped, which costs its slab.
 *
 * Errors: every method throws `UnencodableMessageError` for a value that its wire type cannot hold.
 */
export class Writer {
  /** Index in the path table of the field being written, set by the compiled encoders. */
  field = -1;
  #buffer: Buffer;
  /** Where this message begins in `#buffer`. */
  #start: number;
  #offset: number;
  readonly #cuts: Cut[] = [];
  #cutBytes = 0;
  readonly #paths: readonly string[];
  readonly #messageName: string;

  constructor(names: { message: string; paths: readonly string[] }) {
    this.#paths = names.paths;
    this.#messageName = names.message;
    const taken = slab;
    slab = undefined;
    this.#buffer = taken?.buffer ?? Buffer.allocUnsafeSlow(writerSlabBytes);
    this.#start = taken?.used ?? 0;
    this.#offset = this.#start;
  }

  fail(code: UnencodableMessageCode, detail: string): never {
    const field = this.#paths[this.field];
    const path = field === undefined ? this.#messageName : `${this.#messageName}: ${field}`;
    throw new UnencodableMessageError(code, detail, path);
  }

  /** A field of this table row holds a value that the version cannot carry. */
  failDropped(field: number): never {
    this.field = field;
    return this.fail("FIELD_NOT_IN_VERSION", "value cannot be sent at this version");
  }

  /** Bytes of the whole message so far, cut-in chunks included. */
  get length(): number {
    return this.#offset - this.#start + this.#cutBytes;
  }

  /**
   * Ends the message: its bytes in order, to be sent as they are. The first four are set to the length of the rest,
   * so the message must have begun with an int32 as a place for it.
   */
  framedChunks(): Buffer[] {
    this.#buffer.writeInt32BE(this.length - 4, this.#start);
    return this.chunks();
  }

  /** Ends the message: its bytes in order. The writer must not be used afterwards. */
  chunks(): Buffer[] {
    const chunks: Buffer[] = [];
    let from = this.#start;
    for (const cut of this.#cuts) {
      const at = this.#start + cut.at;
      if (at > from) chunks.push(this.#buffer.subarray(from, at));
      chunks.push(cut.chunk);
      from = at;
    }
    if (this.#offset > from) chunks.push(this.#buffer.subarray(from, this.#offset));
    if (this.#buffer.length - this.#offset >= SCALAR_BYTES_MAX) slab = { buffer: this.#buffer, used: this.#offset };
    return chunks;
  }

  bool(value: boolean): void {
    if (typeof value !== "boolean") this.#invalid("bool", value);
    this.#reserve(1);
    this.#buffer[this.#offset++] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) this.#invalid("int8", value);
    this.#reserve(1);
    this.#buffer[this.#offset++] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) this.#invalid("int16", value);
    this.#putInt16(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) this.#invalid("uint16", value);
    this.#putInt16(value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.#invalid("int32", value);
    this.#putInt32(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) this.#invalid("uint32", value);
    this.#putInt32(value | 0);
  }

  /** The two ends of the safe integers are written as the ends of int64; see `fields.ts`. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) this.#invalid("int64", value);
    if (value === Number.MAX_SAFE_INTEGER) {
      this.#putInt32(0x7fff_ffff);
      this.#putInt32(-1);
    } else if (value === Number.MIN_SAFE_INTEGER) {
      this.#putInt32(-0x8000_0000);
      this.#putInt32(0);
    } else {
      const high = Math.floor(value / INT32_SPAN);
      this.#putInt32(high | 0);
      this.#putInt32((value - high * INT32_SPAN) | 0);
    }
  }

  int64Exact(value: number): void {
    if (!Number.isSafeInteger(value)) this.#invalid("int64", value);
    const high = Math.floor(value / INT32_SPAN);
    this.#putInt32(high | 0);
    this.#putInt32((value - high * INT32_SPAN) | 0);
  }

  float64(value: number): void {
    if (typeof value !== "number") this.#invalid("float64", value);
    this.#reserve(8);
    this.#offset = this.#buffer.writeDoubleBE(value, this.#offset);
  }

  uvarint(value: number): void {
    this.#reserve(SCALAR_BYTES_MAX);
    const buffer = this.#buffer;
    let rest = value;
    while (rest > 0x7f) {
      buffer[this.#offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.#offset++] = rest;
  }

  uuid(value: string): void {
    if (typeof value !== "string" || value.length !== UUID_CHARS) this.#invalid("uuid", value);
    this.#reserve(UUID_BYTES);
    // The native decoder stops at a foreign character, so a short count finds what the length did not.
    if (this.#buffer.write(value, this.#offset, UUID_BYTES, "base64url") !== UUID_BYTES) this.#invalid("uuid", value);
    this.#offset += UUID_BYTES;
  }

  string(value: string): void {
    if (typeof value !== "string") this.#invalid("string", value);
    this.#reserve(2 + value.length * 3);
    const lengthAt = this.#offset;
    this.#offset += 2;
    const length = this.#putText(value);
    this.#buffer[lengthAt] = length >> 8;
    this.#buffer[lengthAt + 1] = length;
  }

  nullableString(value: string | null): void {
    if (value === null) this.#putInt16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    if (typeof value !== "string") this.#invalid("string", value);
    const bytesMax = value.length * 3;
    this.#reserve(SCALAR_BYTES_MAX + bytesMax);
    if (bytesMax < 0x7f) {
      const lengthAt = this.#offset;
      this.#offset += 1;
      this.#buffer[lengthAt] = this.#putText(value) + 1;
    } else {
      this.uvarint(Buffer.byteLength(value, "utf8") + 1);
      this.#putText(value);
    }
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  bytes(value: Buffer): void {
    if (!(value instanceof Uint8Array)) this.#invalid("bytes", value);
    this.#putInt32(value.length);
    this.#putBytes(value);
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.#putInt32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Buffer): void {
    if (!(value instanceof Uint8Array)) this.#invalid("bytes", value);
    this.uvarint(value.length + 1);
    this.#putBytes(value);
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uvarint(0);
    else this.compactBytes(value);
  }

  records(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) this.#putInt32(-1);
    else {
      this.#putInt32(this.#recordsLength(value));
      this.#putRecords(value);
    }
  }

  compactRecords(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) this.uvarint(0);
    else {
      this.uvarint(this.#recordsLength(value) + 1);
      this.#putRecords(value);
    }
  }

  arrayLength(value: readonly unknown[]): void {
    if (!Array.isArray(value)) this.#invalid("array", value);
    this.#putInt32(value.length);
  }

  nullableArrayLength(value: readonly unknown[] | null): void {
    if (value === null) this.#putInt32(-1);
    else this.arrayLength(value);
  }

  compactArrayLength(value: readonly unknown[]): void {
    if (!Array.isArray(value)) this.#invalid("array", value);
    this.uvarint(value.length + 1);
  }

  compactNullableArrayLength(value: readonly unknown[] | null): void {
    if (value === null) this.uvarint(0);
    else this.compactArrayLength(value);
  }

  /** The presence byte of a nullable struct. */
  structPresent(present: boolean): void {
    this.int8(present ? 1 : -1);
  }

  /** Begins a tagged field; gives the position to hand to `closeTag`. */
  openTag(tag: number): number {
    this.uvarint(tag);
    this.#reserve(1);
    this.#offset += 1;
    return this.#offset - this.#start;
  }

  /** Ends a tagged field by putting its size in front of it: one byte nearly always, else what was written moves up. */
  closeTag(position: number): void {
    const start = this.#start + position;
    const size = this.#offset - start;
    if (size < 0x80) {
      this.#buffer[start - 1] = size;
      return;
    }
    this.#reserve(SCALAR_BYTES_MAX);
    // The reserve may have moved the message to another buffer.
    const from = this.#start + position;
    const extra = Math.ceil((32 - Math.clz32(size)) / 7) - 1;
    this.#buffer.copyWithin(from + extra, from, this.#offset);
    this.#offset = from - 1;
    this.uvarint(size);
    this.#offset += size;
  }

  #putInt16(value: number): void {
    this.#reserve(2);
    const at = this.#offset;
    this.#buffer[at] = value >> 8;
    this.#buffer[at + 1] = value;
    this.#offset = at + 2;
  }

  #putInt32(value: number): void {
    this.#reserve(4);
    const at = this.#offset;
    const buffer = this.#buffer;
    buffer[at] = value >> 24;
    buffer[at + 1] = value >> 16;
    buffer[at + 2] = value >> 8;
    buffer[at + 3] = value;
    this.#offset = at + 4;
  }

  /** Room for the text must have been reserved. Gives its length in bytes. */
  #putText(value: string): number {
    const start = this.#offset;
    const chars = value.length;
    if (chars <= LOOPED_STRING_CHARS_MAX) {
      const buffer = this.#buffer;
      let index = 0;
      for (; index < chars; index += 1) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        buffer[start + index] = code;
      }
      if (index === chars) {
        this.#offset = start + chars;
        return chars;
      }
    }
    const length = this.#buffer.write(value, start, "utf8");
    if (length > stringBytesMax) this.fail("VALUE_INVALID", `string of ${length} bytes`);
    this.#offset = start + length;
    return length;
  }

  #putBytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#offset);
    this.#offset += value.length;
  }

  #recordsLength(value: Buffer | readonly Buffer[]): number {
    if (value instanceof Uint8Array) return value.length;
    if (!Array.isArray(value)) this.#invalid("records", value);
    let length = 0;
    for (const chunk of value) {
      if (!(chunk instanceof Uint8Array)) this.#invalid("records", chunk);
      length += chunk.length;
    }
    return length;
  }

  #putRecords(value: Buffer | readonly Buffer[]): void {
    if (value instanceof Uint8Array) this.#putChunk(value);
    else for (const chunk of value) this.#putChunk(chunk);
  }

  #putChunk(chunk: Buffer): void {
    if (chunk.length < recordsCopyBytesMax) this.#putBytes(chunk);
    else {
      this.#cuts.push({ at: this.#offset - this.#start, chunk });
      this.#cutBytes += chunk.length;
    }
  }

  #reserve(bytes: number): void {
    if (bytes > this.#buffer.length - this.#offset) this.#grow(bytes);
  }

  /** Moves the message to a buffer with room for `bytes` more: a fresh slab, or twice its own size when it is large. */
  #grow(bytes: number): void {
    const used = this.#offset - this.#start;
    const grown = Buffer.allocUnsafeSlow(Math.max(writerSlabBytes, 2 * (used + bytes)));
    this.#buffer.copy(grown, 0, this.#start, this.#offset);
    this.#buffer = grown;
    this.#start = 0;
    this.#offset = used;
  }

  #invalid(type: string, value: unknown): never {
    const shown = typeof value === "string" ? `string of ${value.length} characters` : String(value);
    return this.fail("VALUE_INVALID", `${shown} is no ${type}`);
  }
}
