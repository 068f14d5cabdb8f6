import { messageElementsMax, stringBytesMax, varintBytesMax } from "./limits.ts";
import { type MalformedMessageCode, MalformedMessageError } from "./message-error.ts";
import { readCachedString } from "./string-cache.ts";
import { UUID_BYTES, type Uuid } from "./uuid.ts";

const INT32_SPAN = 4_294_967_296;
/** High halves from here on hold no safe integer (2^53 / 2^32). */
const SAFE_HIGH_MAX = 2_097_152;

const NO_BYTES = Buffer.alloc(0);

/**
 * Reads wire types from one message. Every read is checked against `end` before it happens, and nothing is allocated
 * for a length before that many bytes are known to be there.
 *
 * The reader does not own the buffer. Strings are copied out of it, `bytes` and `records` are views of it.
 *
 * Errors: every method throws `MalformedMessageError`, with the path of the field last announced through `field`.
 */
export class Reader {
  readonly buffer: Buffer;
  /** Index of the next byte. Moved by reads only; never above `end`. */
  offset: number;
  /** One past the last byte that may be read. Lowered for the time of a tagged field. */
  end: number;
  /** Index in the path table of the field being read, set by the compiled decoders. */
  field = -1;
  readonly #paths: readonly string[];
  readonly #messageName: string;
  #elements = 0;

  constructor(buffer: Buffer, offset: number, names: { message: string; paths: readonly string[] }) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = buffer.length;
    this.#paths = names.paths;
    this.#messageName = names.message;
    if (offset < 0 || offset > buffer.length) this.fail("TRUNCATED", `message begins at ${offset} of ${buffer.length}`);
  }

  fail(code: MalformedMessageCode, detail: string): never {
    const field = this.#paths[this.field];
    const path = field === undefined ? this.#messageName : `${this.#messageName}: ${field}`;
    throw new MalformedMessageError(code, `${detail} (at byte ${this.offset})`, path);
  }

  /** Moves past `length` bytes and gives the offset where they begin. */
  take(length: number): number {
    const start = this.offset;
    // Written as a subtraction so that no claimed length can overflow the sum.
    if (length > this.end - start) this.fail("TRUNCATED", `${length} bytes needed, ${this.end - start} left`);
    this.offset = start + length;
    return start;
  }

  /** The message must end here. */
  finish(): void {
    this.field = -1;
    if (this.offset !== this.end) this.fail("TRAILING_BYTES", `${this.end - this.offset} bytes after the last field`);
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0;
  }

  int8(): number {
    return ((this.buffer[this.take(1)] as number) << 24) >> 24;
  }

  int16(): number {
    const at = this.take(2);
    const buffer = this.buffer;
    return (((buffer[at] as number) << 24) >> 16) | (buffer[at + 1] as number);
  }

  uint16(): number {
    return this.int16() & 0xffff;
  }

  int32(): number {
    const at = this.take(4);
    const buffer = this.buffer;
    return (
      ((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)
    );
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** Saturates at the safe integers; see `fields.ts`. */
  int64(): number {
    const high = this.int32();
    const low = this.int32() >>> 0;
    if (high >= SAFE_HIGH_MAX) return Number.MAX_SAFE_INTEGER;
    if (high < -SAFE_HIGH_MAX || (high === -SAFE_HIGH_MAX && low === 0)) return Number.MIN_SAFE_INTEGER;
    return high * INT32_SPAN + low;
  }

  /** As `int64`, but a value that is no safe integer is malformed. */
  int64Exact(): number {
    const high = this.int32();
    const low = this.int32() >>> 0;
    const value = high * INT32_SPAN + low;
    if (!Number.isSafeInteger(value)) this.fail("VALUE_OUT_OF_RANGE", `${value} is beyond 2^53`);
    return value;
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }

  /** A 32-bit unsigned varint of at most five bytes. Padding with zero groups is accepted, as Kafka does. */
  uvarint(): number {
    const buffer = this.buffer;
    let value = 0;
    for (let index = 0; index < varintBytesMax; index += 1) {
      const byte = buffer[this.take(1)] as number;
      if (index === varintBytesMax - 1 && byte > 0x0f) break;
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value >>> 0;
    }
    return this.fail("VARINT_OVERLONG", "varint of more than 32 bits");
  }

  uuid(): Uuid {
    const at = this.take(UUID_BYTES);
    return this.buffer.toString("base64url", at, at + UUID_BYTES);
  }

  string(): string {
    return this.#notNull(this.nullableString());
  }

  nullableString(): string | null {
    return this.#stringOf(this.int16());
  }

  compactString(): string {
    return this.#notNull(this.compactNullableString());
  }

  compactNullableString(): string | null {
    return this.#stringOf(this.uvarint() - 1);
  }

  bytes(): Buffer {
    return this.#notNull(this.nullableBytes());
  }

  nullableBytes(): Buffer | null {
    return this.#bytesOf(this.int32());
  }

  compactBytes(): Buffer {
    return this.#notNull(this.compactNullableBytes());
  }

  compactNullableBytes(): Buffer | null {
    return this.#bytesOf(this.uvarint() - 1);
  }

  /**
   * The length of an array, whose elements take at least `elementBytesMin` bytes each: a length that cannot fit is
   * refused before anything is allocated for it.
   */
  arrayLength(elementBytesMin: number): number {
    return this.#lengthOf(this.int32(), elementBytesMin);
  }

  /** As `arrayLength`; -1 stands for null. */
  nullableArrayLength(elementBytesMin: number): number {
    const length = this.int32();
    return length === -1 ? -1 : this.#lengthOf(length, elementBytesMin);
  }

  compactArrayLength(elementBytesMin: number): number {
    return this.#lengthOf(this.uvarint() - 1, elementBytesMin);
  }

  compactNullableArrayLength(elementBytesMin: number): number {
    const length = this.uvarint() - 1;
    return length === -1 ? -1 : this.#lengthOf(length, elementBytesMin);
  }

  /** The presence byte of a nullable struct: negative is null. */
  structPresent(): boolean {
    return this.int8() >= 0;
  }

  /** Reads a tagged field's size and confines reading to it; gives the end to hand back to `closeTag`. */
  openTag(): number {
    const outerEnd = this.end;
    const size = this.uvarint();
    const start = this.take(size);
    this.offset = start;
    this.end = start + size;
    return outerEnd;
  }

  /** The tagged field must have been read to its end. */
  closeTag(outerEnd: number): void {
    if (this.offset !== this.end) {
      this.fail("TRAILING_BYTES", `${this.end - this.offset} bytes left in a tagged field`);
    }
    this.end = outerEnd;
  }

  /** A tagged field that the table does not know: newer peers may send any. */
  skipTag(): void {
    this.take(this.uvarint());
  }

  /** A tagged section of which no field is known. */
  skipTags(): void {
    // Each turn takes two bytes at least, so the claimed count cannot outrun the message.
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint();
      this.skipTag();
    }
  }

  #stringOf(length: number): string | null {
    if (length < 0) {
      if (length === -1) return null;
      this.fail("LENGTH_INVALID", `string of ${length} bytes`);
    }
    if (length > stringBytesMax) this.fail("LENGTH_INVALID", `string of ${length} bytes`);
    if (length === 0) return "";
    const at = this.take(length);
    return readCachedString(this.buffer, at, at + length);
  }

  #bytesOf(length: number): Buffer | null {
    if (length < 0) {
      if (length === -1) return null;
      this.fail("LENGTH_INVALID", `${length} bytes`);
    }
    if (length === 0) return NO_BYTES;
    const at = this.take(length);
    return this.buffer.subarray(at, at + length);
  }

  #lengthOf(length: number, elementBytesMin: number): number {
    if (length < 0) {
      if (length === -1) this.fail("NULL_NOT_ALLOWED", "null array");
      this.fail("LENGTH_INVALID", `array of ${length} elements`);
    }
    if (length * elementBytesMin > this.end - this.offset) {
      this.fail("TRUNCATED", `array of ${length} elements in ${this.end - this.offset} bytes`);
    }
    this.#elements += length;
    if (this.#elements > messageElementsMax) this.fail("TOO_MANY_ELEMENTS", `more than ${messageElementsMax} elements`);
    return length;
  }

  #notNull<T>(value: T | null): T {
    if (value === null) this.fail("NULL_NOT_ALLOWED", "null");
    return value;
  }
}
