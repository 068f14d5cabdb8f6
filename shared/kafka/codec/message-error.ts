/**
 * Why bytes from a peer are not a valid message. Stable: logged, counted and matched upon.
 *
 * - `TRUNCATED`: the message ends inside a field.
 * - `TRAILING_BYTES`: bytes are left after the last field, or inside a tagged field.
 * - `LENGTH_INVALID`: a negative length, or a string above the protocol's bound.
 * - `NULL_NOT_ALLOWED`: a null where the schema has none at this version.
 * - `VARINT_OVERLONG`: more bytes than a 32-bit value can have.
 * - `VALUE_OUT_OF_RANGE`: an int64 identity that a JavaScript number cannot hold exactly.
 * - `TOO_MANY_ELEMENTS`: more array elements than `messageElementsMax`.
 * - `VERSION_UNSUPPORTED`: the message was asked for at a version outside the table.
 * - `FRAME_LENGTH_INVALID`: a frame length that is negative, below a header's size or above the limit.
 */
export type MalformedMessageCode =
  | "TRUNCATED"
  | "TRAILING_BYTES"
  | "LENGTH_INVALID"
  | "NULL_NOT_ALLOWED"
  | "VARINT_OVERLONG"
  | "VALUE_OUT_OF_RANGE"
  | "TOO_MANY_ELEMENTS"
  | "VERSION_UNSUPPORTED"
  | "FRAME_LENGTH_INVALID";

/**
 * The one error that decoding throws: what the peer sent cannot be understood, so the connection ends. Any other
 * exception out of the codec is a bug of ours.
 */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
  readonly code: MalformedMessageCode;
  /** Where it happened, such as `ProduceRequest v9: topicData[].name`; empty when no field was begun. */
  readonly path: string;

  constructor(code: MalformedMessageCode, detail: string, path = "") {
    super(path === "" ? detail : `${path}: ${detail}`);
    this.code = code;
    this.path = path;
  }
}

/**
 * Why a value of ours cannot be encoded.
 *
 * - `FIELD_NOT_IN_VERSION`: a field that must not be dropped has a value that this version cannot carry.
 * - `VALUE_INVALID`: wrong type, out of range, missing, or null where the schema has none.
 * - `VERSION_UNSUPPORTED`: the table has no such version.
 */
export type UnencodableMessageCode = "FIELD_NOT_IN_VERSION" | "VALUE_INVALID" | "VERSION_UNSUPPORTED";

/** Thrown by encoding: always a slip in the calling code, since the types rule out most of it. */
export class UnencodableMessageError extends Error {
  override readonly name = "UnencodableMessageError";
  readonly code: UnencodableMessageCode;
  /** Where it happened, such as `ProduceResponse v8: responses[].name`; empty when no field was begun. */
  readonly path: string;

  constructor(code: UnencodableMessageCode, detail: string, path = "") {
    super(path === "" ? detail : `${path}: ${detail}`);
    this.code = code;
    this.path = path;
  }
}
