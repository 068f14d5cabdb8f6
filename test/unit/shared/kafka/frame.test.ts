/**
 * Goal: however a stream is cut up, the frames are those that were sent, in order, and stay as they are.
 * Method: random streams and cuts through both doors, compared with the frames that went in.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameEagerBytesMax, frameSlabBytesMax } from "../../../../shared/kafka/codec/limits.ts";
import { MalformedMessageError } from "../../../../shared/kafka/codec/message-error.ts";
import { FrameAssembler } from "../../../../shared/kafka/frame.ts";

const frameBytesMax = 4 * frameEagerBytesMax;

function framed(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

function payloadOf(size: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed * 7) & 0xff));
}

/** Feeds a stream by reads of the given sizes (the last one for all the rest), as a socket would. */
function readThrough(assembler: FrameAssembler, stream: Buffer, reads: readonly number[]): Buffer[] {
  const frames: Buffer[] = [];
  let offset = 0;
  for (let index = 0; offset < stream.length; index += 1) {
    const target = assembler.nextBuffer();
    const size = reads[index] ?? target.length;
    const copied = stream.copy(target, 0, offset, offset + Math.min(size, target.length));
    offset += copied;
    frames.push(...assembler.commit(copied));
  }
  return frames;
}

function pushThrough(assembler: FrameAssembler, stream: Buffer, reads: readonly number[]): Buffer[] {
  const frames: Buffer[] = [];
  let offset = 0;
  for (let index = 0; offset < stream.length; index += 1) {
    const size = reads[index] ?? stream.length;
    // A chunk of its own each time, as sockets hand them out.
    frames.push(...assembler.push(Buffer.from(stream.subarray(offset, offset + size))));
    offset += size;
  }
  return frames;
}

const frameSizes = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 300 }) },
    { weight: 2, arbitrary: fc.nat({ max: 9_000 }) },
    { weight: 1, arbitrary: fc.nat({ max: 3 * frameSlabBytesMax }) },
  ),
  { maxLength: 25 },
);
const readSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20_000 })), {
  maxLength: 60,
});

describe.each([
  ["read into its buffers", readThrough],
  ["pushed in chunks", pushThrough],
])("a stream %s", (_, feed) => {
  test("gives the frames that were sent", () => {
    fc.assert(
      fc.property(frameSizes, readSizes, (sizes, reads) => {
        const payloads = sizes.map(payloadOf);
        const assembler = new FrameAssembler(frameBytesMax);

        const frames = feed(assembler, Buffer.concat(payloads.map(framed)), reads);

        // Compared only at the end, so that a frame overwritten by a later read is found.
        expect(frames.length).toBe(payloads.length);
        expect(frames.every((frame, index) => frame.equals(payloads[index] as Buffer))).toBe(true);
        expect(assembler.midFrame).toBe(false);
        expect(assembler.pendingFrameBytes).toBe(0);
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  test("gives a frame larger than is allocated at once", () => {
    const payload = payloadOf(3 * frameEagerBytesMax + 5, 1);
    const assembler = new FrameAssembler(frameBytesMax);

    const frames = feed(assembler, Buffer.concat([framed(payload), framed(Buffer.from("next"))]), [100, 65_536]);

    expect(frames.map((frame) => frame.length)).toEqual([payload.length, 4]);
    expect(frames[0]?.equals(payload)).toBe(true);
  });

  test.each([-1, -2_147_483_648, 101])("is refused at a length of %i, and stays so", (length) => {
    const assembler = new FrameAssembler(100);
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(length);

    expect(() => feed(assembler, bytes, [])).toThrow(MalformedMessageError);
    expect(() => feed(assembler, framed(Buffer.from("fine")), [])).toThrow("frame of");
  });
});

describe("memory", () => {
  test("a claimed length allocates no more than a step", () => {
    const assembler = new FrameAssembler(2 ** 30);
    const target = assembler.nextBuffer();
    target.writeInt32BE(2 ** 30);
    assembler.commit(4);

    const room = assembler.nextBuffer();

    expect(assembler.pendingFrameBytes).toBe(2 ** 30);
    expect(assembler.midFrame).toBe(true);
    expect(room.buffer.byteLength).toBeLessThanOrEqual(frameEagerBytesMax);
  });

  test("a large frame is known before it is allocated", () => {
    const assembler = new FrameAssembler(frameBytesMax);
    const target = assembler.nextBuffer();
    target.writeInt32BE(1_000_000);

    assembler.commit(4);

    expect(assembler.pendingFrameBytes).toBe(1_000_000);
    expect(target.buffer.byteLength).toBeLessThan(10_000);
  });

  test("a whole frame in a pushed chunk is a view of it", () => {
    const assembler = new FrameAssembler(100);
    const chunk = Buffer.concat([framed(Buffer.from("one")), framed(Buffer.from("two"))]);

    const frames = assembler.push(chunk);

    expect(frames.map((frame) => frame.buffer === chunk.buffer)).toEqual([true, true]);
  });

  test("the limit may be raised once the peer is known", () => {
    const assembler = new FrameAssembler(10);
    assembler.frameBytesMax = 1_000;

    const frames = assembler.push(framed(Buffer.alloc(500)));

    expect(frames).toHaveLength(1);
  });

  test("reading more than was offered is a slip of the caller", () => {
    const assembler = new FrameAssembler(10);
    const room = assembler.nextBuffer().length;

    expect(() => assembler.commit(room + 1)).toThrow(RangeError);
  });
});
