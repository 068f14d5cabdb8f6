import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileEncoder } from "../../../../../shared/kafka/codec/compile-schema.ts";
import { array, int32, int64, records, string, struct, uuid } from "../../../../../shared/kafka/codec/fields.ts";
import { recordsCopyBytesMax, writerSlabBytes } from "../../../../../shared/kafka/codec/limits.ts";
import { decodeResponse, encodeResponse } from "../../../../../shared/kafka/codec/message-codec.ts";
import { UnencodableMessageError } from "../../../../../shared/kafka/codec/message-error.ts";
import { Reader } from "../../../../../shared/kafka/codec/reader.ts";
import { Writer } from "../../../../../shared/kafka/codec/writer.ts";
import { describeGroups } from "../../../../../shared/kafka/schema/describe-groups.ts";
import { type FetchResponse, fetch } from "../../../../../shared/kafka/schema/fetch.ts";
import { joinGroup } from "../../../../../shared/kafka/schema/join-group.ts";
import { metadata } from "../../../../../shared/kafka/schema/metadata.ts";

const names = { message: "Test", paths: [] };

function fetchResponse(...parts: FetchResponse["responses"][number]["partitions"][number]["records"][]): FetchResponse {
  const partitions = parts.map((chunk, partitionIndex) => ({
    partitionIndex,
    errorCode: 0,
    highWatermark: 1,
    abortedTransactions: null,
    records: chunk,
  }));
  return { responses: [{ topic: "t", partitions }] };
}

describe("record data", () => {
  test("of a batch's size leaves without a copy, between chunks of small fields", () => {
    const large = Buffer.alloc(recordsCopyBytesMax, 7);

    const chunks = encodeResponse(fetch, 11, 1, fetchResponse(large, [large, large]));

    expect(chunks.filter((chunk) => chunk === large)).toHaveLength(3);
    expect(chunks[0]?.readInt32BE(0)).toBe(Buffer.concat(chunks).length - 4);
  });

  test("below that is copied, so that the vector stays short", () => {
    const small = Buffer.alloc(recordsCopyBytesMax - 1, 7);

    const chunks = encodeResponse(fetch, 11, 1, fetchResponse(small, [small, small]));

    expect(chunks).toHaveLength(1);
  });

  test("in any pieces reads as one, in both encodings", () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 100, recordsCopyBytesMax - 1, recordsCopyBytesMax, 9_000), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(sizes, sizes, fc.constantFrom(4, 11, 12, 18), (first, second, version) => {
        const pieces = [first, second].map((list) => list.map((size, index) => Buffer.alloc(size, index + 1)));

        const frame = Buffer.concat(encodeResponse(fetch, version, 1, fetchResponse(...pieces)));

        const { body } = decodeResponse(fetch, version, frame.subarray(4));
        const read = body.responses[0]?.partitions.map((partition) => partition.records);
        expect(read).toEqual(pieces.map((list) => Buffer.concat(list)));
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});

describe("slabs", () => {
  test("messages that follow one another do not overwrite each other, whatever their size", () => {
    const bodies = Array.from({ length: 40 }, (_, index) => ({
      brokers: [],
      clusterId: "x".repeat((index * 977) % 30_000),
      controllerId: index,
      topics: [],
    }));

    const frames = bodies.map((body) => encodeResponse(metadata, 2, 1, body));

    const read = frames.map((chunks) => decodeResponse(metadata, 2, Buffer.concat(chunks).subarray(4)).body);
    expect(read.map((body) => [body.controllerId, body.clusterId])).toEqual(
      bodies.map((body) => [body.controllerId, body.clusterId]),
    );
  });

  test("a message larger than a slab is whole", () => {
    const topics = Array.from({ length: 3_000 }, (_, index) => ({
      errorCode: 0,
      name: `topic-of-some-length-${index}`,
      partitions: [],
    }));

    const frame = Buffer.concat(encodeResponse(metadata, 12, 1, { brokers: [], topics }));

    expect(frame.length).toBeGreaterThan(writerSlabBytes);
    expect(decodeResponse(metadata, 12, frame.subarray(4)).body.topics.map((topic) => topic.name)).toEqual(
      topics.map((topic) => topic.name),
    );
  });

  test("an encoder that threw leaves the next message unharmed", () => {
    const broken = { brokers: [], topics: [{ errorCode: 1e9, name: "t", partitions: [] }] };
    expect(() => encodeResponse(metadata, 1, 1, broken)).toThrow(UnencodableMessageError);

    const frame = Buffer.concat(encodeResponse(metadata, 1, 6, { brokers: [], topics: [] }));

    expect(decodeResponse(metadata, 1, frame.subarray(4)).correlationId).toBe(6);
  });
});

describe("tagged fields", () => {
  test.each([0, 1, 100, 127, 128, 129, 16_383, 16_384, 70_000])("of %i bytes carry their size in front", (size) => {
    const tagged = struct({ before: int32("0+"), text: array("int8", "0+", { tag: 3 }), after: string("0+") });
    const { encode } = compileEncoder(tagged, { version: 0, flexible: true }, "Test");
    const writer = new Writer(names);
    const text = Array.from({ length: size }, (_, index) => (index % 100) + 1);

    encode(writer, { before: 1, text, after: "a" });

    const reader = new Reader(Buffer.concat(writer.chunks()), 0, names);
    expect([reader.int32(), reader.compactString(), reader.uvarint()]).toEqual([1, "a", size === 0 ? 0 : 1]);
    if (size === 0) return;
    expect(reader.uvarint()).toBe(3);
    const outer = reader.openTag();
    expect(reader.compactArrayLength(1)).toBe(size);
    expect(Array.from({ length: size }, () => reader.int8())).toEqual(text);
    reader.closeTag(outer);
    reader.finish();
  });
});

describe("scalars", () => {
  test.each([
    [0, "0000000000000000"],
    [-1, "ffffffffffffffff"],
    [4_294_967_296, "0000000100000000"],
    [-4_294_967_297, "fffffffeffffffff"],
    [Number.MAX_SAFE_INTEGER - 1, "001ffffffffffffe"],
    [Number.MAX_SAFE_INTEGER, "7fffffffffffffff"],
    [Number.MIN_SAFE_INTEGER, "8000000000000000"],
  ])("int64 %d is %s and back", (value, hex) => {
    const writer = new Writer(names);

    writer.int64(value);

    const written = Buffer.concat(writer.chunks());
    expect(written.toString("hex")).toBe(hex);
    expect(new Reader(written, 0, names).int64()).toBe(value);
  });

  test.each([
    ["0020000000000000", Number.MAX_SAFE_INTEGER],
    ["7ffffffffffffffe", Number.MAX_SAFE_INTEGER],
    ["ffe0000000000000", Number.MIN_SAFE_INTEGER],
    ["ffdfffffffffffff", Number.MIN_SAFE_INTEGER],
    ["ffe0000000000001", Number.MIN_SAFE_INTEGER],
    ["ffe0000000000002", Number.MIN_SAFE_INTEGER + 1],
  ])("int64 %s saturates to a safe integer", (hex, value) => {
    expect(new Reader(Buffer.from(hex, "hex"), 0, names).int64()).toBe(value);
  });

  test("strings of any characters are read as they were written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const writer = new Writer(names);
        writer.string(text);
        writer.compactString(text);
        const reader = new Reader(Buffer.concat(writer.chunks()), 0, names);
        expect([reader.string(), reader.compactString()]).toEqual([text, text]);
        reader.finish();
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});

describe("values that cannot be sent", () => {
  const row = struct({ number: int32("0+"), id: uuid("0+"), data: records("0+"), late: int64("2+", { default: -1 }) });
  const zero = "A".repeat(22);

  test.each([
    ["a fraction", { number: 1.5, id: zero, data: null }, "VALUE_INVALID", "number"],
    ["33 bits", { number: 2 ** 31, id: zero, data: null }, "VALUE_INVALID", "number"],
    ["a missing field", { id: zero, data: null }, "VALUE_INVALID", "number"],
    ["a UUID in hex", { number: 1, id: "00".repeat(16), data: null }, "VALUE_INVALID", "id"],
    [
      "a UUID with a foreign character",
      { number: 1, id: `${"A".repeat(10)}!${"A".repeat(11)}`, data: null },
      "VALUE_INVALID",
      "id",
    ],
    ["text as records", { number: 1, id: zero, data: "text" }, "VALUE_INVALID", "data"],
    ["a value of a later version", { number: 1, id: zero, data: null, late: 5 }, "FIELD_NOT_IN_VERSION", "late"],
  ])("%s names the field", (_, value, code, path) => {
    const { encode, names: named } = compileEncoder(row, { version: 1, flexible: false }, "Row v1");
    let caught: unknown;

    try {
      encode(new Writer(named), value);
    } catch (error) {
      caught = error;
    }

    expect(caught).toBeInstanceOf(UnencodableMessageError);
    expect(caught).toMatchObject({ code, path: `Row v1: ${path}` });
  });

  test("a string of more than 32,767 bytes is refused", () => {
    const writer = new Writer(names);

    expect(() => writer.compactString("é".repeat(16_384))).toThrow(UnencodableMessageError);
  });

  test("null is refused before the version that has it", () => {
    const body = { errorCode: 0, generationId: 1, protocolName: null, leader: "", memberId: "m", members: [] };

    expect(() => encodeResponse(joinGroup, 6, 1, body)).toThrow("JoinGroupResponse v6: protocolName");
    expect(encodeResponse(joinGroup, 7, 1, body)).toHaveLength(1);
  });

  test("a field that only advises is left out for an older client", () => {
    const group = { errorCode: 69, groupId: "g", groupState: "", protocolType: "", protocolData: "", members: [] };

    const frame = Buffer.concat(encodeResponse(describeGroups, 5, 1, { groups: [{ ...group, errorMessage: "no" }] }));

    expect(decodeResponse(describeGroups, 5, frame.subarray(4)).body.groups[0]?.errorMessage).toBe(null);
  });
});
