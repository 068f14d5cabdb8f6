/**
 * Length-prefixed frames out of a byte stream, without I/O of its own. Frame = length:int32 payload; a payload is one
 * request, one response, or one bare SASL token.
 *
 *              length known, fits the slab
 *            ┌──────────────────────────────┐
 *            ▼                              │
 *  ┌──────────────────┐  length known,  ┌───┴──────────────┐
 *  │ slab: 0..n bytes │  does not fit   │ own: one frame's │
 *  │ of a frame       ├────────────────▶│ own buffer       │
 *  └────────┬─────────┘                 └──┬───────────────┘
 *           │   ▲──────────────────────────┘ frame complete
 *           │ length negative or above `frameBytesMax`
 *           ▼
 *      failed (throws the same error ever after)
 *
 * Ownership: a frame is a view of the buffer it was read into. Small frames share a slab of at most 64 KiB with their
 * neighbours, larger ones have a buffer of their own; nothing is ever overwritten or reused, so a frame, and every
 * slice of it such as the records of a produce request, stays valid for as long as it is referenced. Whoever keeps a
 * small slice for long keeps its whole slab and should copy it.
 */
import { frameEagerBytesMax, frameReadBytesMin, frameSlabBytesMax, frameSlabBytesMin } from "./codec/limits.ts";
import { MalformedMessageError } from "./codec/message-error.ts";

const LENGTH_BYTES = 4;
const NO_FRAMES: readonly Buffer[] = Object.freeze([]);
const NO_SLAB = Buffer.alloc(0);

/**
 * One connection's frame parser. Feed it in one of two ways:
 *
 * - `nextBuffer()`, read into it, `commit(bytes read)`: large frames are received without a copy.
 * - `push(chunk)` where the socket hands out buffers of its own (TLS): whole frames in the chunk are views of it.
 *
 * Both give the payloads that became complete, in order.
 */
export class FrameAssembler {
  /**
   * Longest payload accepted, in bytes; checked when a length is read. May be changed between calls: keep it small
   * until the peer has authenticated.
   */
  frameBytesMax: number;
  /** Where bytes are read to: bytes before `#start` belong to frames given out, `#start` to `#end` wait for more. */
  #slab: Buffer = NO_SLAB;
  #start = 0;
  #end = 0;
  #slabBytes = frameSlabBytesMin;
  /** The frame too large for the slab, while it is under way: its payload without the length. */
  #own: Buffer | undefined;
  #ownFilled = 0;
  /** Payload length of the frame under way once its four bytes are there, else -1. */
  #length = -1;
  #offered = 0;
  #failure: MalformedMessageError | undefined;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /**
   * Payload length of the frame under way, or 0 while it is unknown. A connection that must reserve memory first can
   * look here before it calls `nextBuffer`, which is where large frames are allocated.
   */
  get pendingFrameBytes(): number {
    return Math.max(this.#length, 0);
  }

  /** Whether bytes of an incomplete frame are held: the stream must not end here. */
  get midFrame(): boolean {
    return this.#own !== undefined || this.#end > this.#start;
  }

  /** Where the next read should go; never empty. The view is only good until `commit`. */
  nextBuffer(): Buffer {
    if (this.#failure !== undefined) throw this.#failure;
    const room = this.#own === undefined && !this.#beginOwn() ? this.#slabRoom() : this.#ownRoom();
    this.#offered = room.length;
    return room;
  }

  /**
   * Takes note of `bytes` read into the last `nextBuffer`.
   *
   * Errors: `MalformedMessageError` (FRAME_LENGTH_INVALID); frames before the bad length are lost with it.
   */
  commit(bytes: number): readonly Buffer[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (!(bytes >= 0 && bytes <= this.#offered)) throw new RangeError(`${bytes} bytes read into ${this.#offered}`);
    const full = bytes === this.#offered;
    this.#offered = 0;
    if (this.#own !== undefined) return this.#commitOwn(this.#own, bytes);
    this.#end += bytes;
    if (full) this.#slabBytes = Math.min(this.#slabBytes * 2, frameSlabBytesMax);
    return this.#takeFromSlab();
  }

  /**
   * Takes a chunk that the caller gives away: frames that lie in it whole are views of it.
   *
   * Errors: as `commit`.
   */
  push(chunk: Buffer): readonly Buffer[] {
    if (this.#failure !== undefined) throw this.#failure;
    const frames: Buffer[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (!this.midFrame) {
        offset = this.#takeFromChunk(chunk, offset, frames);
        if (offset === chunk.length) break;
      }
      const target = this.nextBuffer();
      const wanted = Math.min(target.length, this.#missingBytes());
      const copied = chunk.copy(target, 0, offset, offset + wanted);
      offset += copied;
      for (const frame of this.commit(copied)) frames.push(frame);
    }
    return frames;
  }

  /** Bytes until the frame under way, or at least its length, is complete. */
  #missingBytes(): number {
    if (this.#own !== undefined) return this.#length - this.#ownFilled;
    const held = this.#end - this.#start;
    return (this.#length < 0 ? 0 : this.#length) + LENGTH_BYTES - held;
  }

  /** Gives out the whole frames from `offset` on; returns where the first incomplete one begins. */
  #takeFromChunk(chunk: Buffer, offset: number, frames: Buffer[]): number {
    let at = offset;
    while (chunk.length - at >= LENGTH_BYTES) {
      const length = this.#checkedLength(chunk.readInt32BE(at));
      if (chunk.length - at - LENGTH_BYTES < length) break;
      at += LENGTH_BYTES;
      frames.push(chunk.subarray(at, at + length));
      at += length;
    }
    return at;
  }

  #takeFromSlab(): readonly Buffer[] {
    let frames: Buffer[] | undefined;
    while (this.#end - this.#start >= LENGTH_BYTES) {
      if (this.#length < 0) this.#length = this.#checkedLength(this.#slab.readInt32BE(this.#start));
      const frameStart = this.#start + LENGTH_BYTES;
      if (this.#end - frameStart < this.#length) break;
      frames ??= [];
      frames.push(this.#slab.subarray(frameStart, frameStart + this.#length));
      this.#start = frameStart + this.#length;
      this.#length = -1;
    }
    return frames ?? NO_FRAMES;
  }

  #commitOwn(own: Buffer, bytes: number): readonly Buffer[] {
    this.#ownFilled += bytes;
    if (this.#ownFilled < this.#length) return NO_FRAMES;
    this.#own = undefined;
    this.#length = -1;
    return [own];
  }

  /** Moves the frame under way to a buffer of its own when it is too large for a slab; says whether it did. */
  #beginOwn(): boolean {
    if (this.#length <= frameSlabBytesMax / 2) return false;
    if (this.#slab.length - this.#start >= this.#length + LENGTH_BYTES) return false;
    const own = Buffer.allocUnsafeSlow(Math.min(this.#length, frameEagerBytesMax));
    this.#ownFilled = this.#slab.copy(own, 0, this.#start + LENGTH_BYTES, this.#end);
    this.#own = own;
    // The bytes moved belong to no frame given out, so the slab can be read into from here again.
    this.#end = this.#start;
    return true;
  }

  #ownRoom(): Buffer {
    let own = this.#own as Buffer;
    if (this.#ownFilled === own.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#length, own.length * 2));
      own.copy(grown);
      this.#own = grown;
      own = grown;
    }
    return own.subarray(this.#ownFilled);
  }

  #slabRoom(): Buffer {
    const needed = this.#length < 0 ? frameReadBytesMin : this.#length + LENGTH_BYTES;
    if (this.#slab.length - this.#start < needed || this.#slab.length === this.#end) {
      const fresh = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, needed));
      this.#end = this.#slab.copy(fresh, 0, this.#start, this.#end);
      this.#start = 0;
      this.#slab = fresh;
    }
    return this.#slab.subarray(this.#end);
  }

  #checkedLength(length: number): number {
    if (length >= 0 && length <= this.frameBytesMax) return length;
    const detail = `frame of ${length} bytes, at most ${this.frameBytesMax} allowed`;
    this.#failure = new MalformedMessageError("FRAME_LENGTH_INVALID", detail);
    throw this.#failure;
  }
}
