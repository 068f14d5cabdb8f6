import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendMessageBytesMax, chunkBytesMax, messageEntriesMax } from "../../../../broker/peer/limits.ts";
import {
  type AckEntry,
  type AppendEntry,
  decodeAcks,
  decodeAppend,
  decodeJson,
  decodeMetadataEntry,
  encodeAcks,
  encodeAppend,
  encodeJson,
  encodeMetadataEntry,
  type JsonMessage,
  PeerProtocolError,
} from "../../../../broker/peer/peer-messages.ts";
import { peerMessageBytesMax } from "../../../../shared/ports/tcp-peer-transport.ts";

const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const stream = fc.nat({ max: 2 ** 32 - 1 });
const epoch = fc.nat({ max: 2 ** 31 - 1 });

const appendEntries: fc.Arbitrary<AppendEntry[]> = fc.array(
  fc.record({
    stream,
    highWatermark: offset,
    logStartOffset: offset,
    chunks: fc.array(
      fc.record({
        baseOffset: offset,
        endOffset: offset,
        epoch,
        startsSegment: fc.boolean(),
        bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 5 },
);

const ackEntries: fc.Arbitrary<AckEntry[]> = fc.array(
  fc.record({
    stream,
    heldOffset: fc.oneof(fc.constant(-1), offset),
    logStartOffset: offset,
    accepted: fc.boolean(),
    votes: fc.boolean(),
  }),
  { maxLength: 8 },
);

const time = fc.nat({ max: 2 ** 31 - 1 }).map((quarters) => quarters / 4);

const jsonMessages: fc.Arbitrary<JsonMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("attach" as const),
    stream,
    topicId: fc.string(),
    partition: fc.nat(),
    epoch,
    endAtElection: offset,
    logStartOffset: offset,
    firstOffset: offset,
    logEndOffset: offset,
    highWatermark: offset,
    epochs: fc.array(fc.tuple(epoch, offset), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("attached" as const), stream, endOffset: offset }),
  fc.record({ kind: fc.constant("refused" as const), stream, promisedEpoch: fc.oneof(fc.constant(-1), epoch) }),
  fc.record({
    kind: fc.constant("heartbeat" as const),
    hears: fc.array(fc.nat()),
    storeReachable: fc.boolean(),
    draining: fc.boolean(),
    sentMs: time,
    echoMs: fc.option(time),
  }),
  fc.record({
    kind: fc.constant("call" as const),
    id: fc.nat(),
    method: fc.string(),
    body: fc.oneof(fc.constant(null), fc.string(), fc.array(fc.nat())),
  }),
  fc.record({ kind: fc.constant("answer" as const), id: fc.nat(), body: fc.oneof(fc.constant(null), fc.boolean()) }),
);

/** A decoder either answers or says that the peer broke the protocol; anything else is a bug. */
function decodesOrRefuses(decode: (message: Buffer) => unknown, message: Buffer): void {
  try {
    decode(message);
  } catch (error) {
    expect(error).toBeInstanceOf(PeerProtocolError);
  }
}

const changed = (message: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(message);
  if (copy.length > 0) copy.writeUInt8(value, at % copy.length);
  return copy;
};

describe("append", () => {
  const encoded = (entries: readonly AppendEntry[]) => Buffer.concat(encodeAppend(entries));

  test("what is encoded is decoded again", () => {
    fc.assert(
      fc.property(appendEntries, (entries) => {
        expect(decodeAppend(encoded(entries))).toEqual(entries);
      }),
    );
  });

  test("chunk bytes are neither copied on the way out nor on the way in", () => {
    const bytes = Buffer.from("records");
    const chunk = { baseOffset: 5, endOffset: 9, epoch: 2, startsSegment: true, bytes };
    const out = encodeAppend([{ stream: 1, highWatermark: 4, logStartOffset: 0, chunks: [chunk] }]);
    expect(out[1]).toBe(bytes);
    const message = Buffer.concat(out);
    expect(decodeAppend(message)[0]?.chunks[0]?.bytes.buffer).toBe(message.buffer);
  });

  test("no cut or changed message does anything but decode or be refused", () => {
    fc.assert(
      fc.property(appendEntries, fc.nat(), fc.nat({ max: 255 }), (entries, at, value) => {
        const message = encoded(entries);
        decodesOrRefuses(decodeAppend, changed(message, at, value));
        const cut = message.subarray(0, at % message.length);
        expect(() => decodeAppend(cut)).toThrow(PeerProtocolError);
        expect(() => decodeAppend(Buffer.concat([message, Buffer.alloc(1)]))).toThrow(PeerProtocolError);
      }),
    );
  });

  test("a full message fits the transport", () => {
    const headers = 7 + messageEntriesMax * 22 + 25;
    expect(chunkBytesMax + headers).toBeLessThan(peerMessageBytesMax);
    expect(appendMessageBytesMax + headers).toBeLessThan(peerMessageBytesMax);
  });
});

describe("ack", () => {
  test("what is encoded is decoded again", () => {
    fc.assert(
      fc.property(ackEntries, (entries) => {
        expect(decodeAcks(encodeAcks(entries))).toEqual(entries);
      }),
    );
  });

  test("a length that does not fit the count is refused", () => {
    fc.assert(
      fc.property(ackEntries, fc.nat(), fc.nat({ max: 255 }), (entries, at, value) => {
        const message = encodeAcks(entries);
        decodesOrRefuses(decodeAcks, changed(message, at, value));
        expect(() => decodeAcks(message.subarray(0, at % message.length))).toThrow(PeerProtocolError);
      }),
    );
  });
});

describe("JSON messages", () => {
  test("what is encoded is decoded again", () => {
    fc.assert(
      fc.property(jsonMessages, (message) => {
        expect(decodeJson(encodeJson(message))).toEqual(message);
      }),
    );
  });

  test("no cut or changed message does anything but decode or be refused", () => {
    fc.assert(
      fc.property(jsonMessages, fc.nat(), fc.nat({ max: 255 }), (value, at, byte) => {
        const message = encodeJson(value);
        decodesOrRefuses(decodeJson, changed(message, at, byte));
        expect(() => decodeJson(message.subarray(0, at % message.length))).toThrow(PeerProtocolError);
      }),
    );
  });

  test.each([
    ["nothing", ""],
    ["null", "null"],
    ["no object", "7"],
    ["no kind", "{}"],
    ["an unknown kind", '{"kind":"constructor"}'],
    ["a field that is missing", '{"kind":"attached","stream":1}'],
    ["a field of a wrong type", '{"kind":"refused","stream":1,"promisedEpoch":"2"}'],
    ["a negative offset", '{"kind":"attached","stream":1,"endOffset":-1}'],
    ["hears that is no list", '{"kind":"heartbeat","hears":1,"storeReachable":true,"sentMs":1,"echoMs":null}'],
  ])("%s is refused", (_what, text) => {
    expect(() => decodeJson(Buffer.from(`\u0003${text}`))).toThrow(PeerProtocolError);
  });
});

test("a metadata entry carries its number and its bytes; less than a header is refused", () => {
  const message = Buffer.concat(encodeMetadataEntry(42, Buffer.from("entry")));
  expect(decodeMetadataEntry(message)).toEqual({ seq: 42, entry: Buffer.from("entry") });
  expect(() => decodeMetadataEntry(message.subarray(0, 8))).toThrow(PeerProtocolError);
});
