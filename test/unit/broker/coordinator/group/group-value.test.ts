import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GroupValue, MemberValue } from "../../../../../broker/coordinator/group/group-contract.ts";
import {
  decodeGroupValue,
  encodeGroupValue,
  stampGroupValue,
  UnknownGroupVersionError,
} from "../../../../../broker/coordinator/group/group-value.ts";
import { MalformedMessageError } from "../../../../../shared/kafka/codec/message-error.ts";

const value: GroupValue = {
  protocolType: "consumer",
  protocolName: "range",
  generationId: 7,
  leader: "a-1",
  stateTimestampMs: 1_764_500_000_123,
  members: [
    {
      memberId: "a-1",
      groupInstanceId: "a",
      clientId: "app",
      clientHost: "/10.0.0.1",
      rebalanceTimeoutMs: 300_000,
      sessionTimeoutMs: 45_000,
      protocols: [
        { name: "range", metadata: Buffer.from("0001", "hex") },
        { name: "sticky", metadata: Buffer.alloc(0) },
      ],
      assignment: Buffer.from("ff", "hex"),
    },
  ],
};

const text = fc.string({ maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anyMember: fc.Arbitrary<MemberValue> = fc.record({
  memberId: text,
  groupInstanceId: fc.option(text),
  clientId: text,
  clientHost: text,
  rebalanceTimeoutMs: int32,
  sessionTimeoutMs: int32,
  protocols: fc.array(fc.record({ name: text, metadata: bytes }), { maxLength: 4 }),
  assignment: bytes,
});
const anyValue: fc.Arbitrary<GroupValue> = fc.record({
  protocolType: fc.option(text),
  protocolName: fc.option(text),
  generationId: int32,
  leader: fc.option(text),
  stateTimestampMs: fc.maxSafeInteger(),
  members: fc.array(anyMember, { maxLength: 5 }),
});

describe("a stored group", () => {
  test("golden bytes", () => {
    expect(encodeGroupValue(value).toString("hex")).toBe(
      [
        "0001",
        "09 636f6e73756d6572 06 72616e6765 00000007 04 612d31",
        "0000019ad4654d7b",
        "02 04 612d31 02 61 04 617070 0a 2f31302e302e302e31 000493e0 0000afc8",
        "03 06 72616e6765 03 0001 07 737469636b79 01",
        "02 ff",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  test("what is decoded is what was encoded", () => {
    fc.assert(
      fc.property(anyValue, (any) => {
        expect(decodeGroupValue(encodeGroupValue(any))).toEqual(any);
      }),
    );
  });

  test("what is decoded does not change with the bytes it was read from", () => {
    const stored = encodeGroupValue(value);
    const decoded = decodeGroupValue(stored);
    stored.fill(0);
    expect(decoded).toEqual(value);
  });

  test("a version that this broker does not know is refused by name", () => {
    const stored = encodeGroupValue(value);
    stored.writeInt16BE(2);
    expect(() => decodeGroupValue(stored)).toThrow(UnknownGroupVersionError);
    expect(() => decodeGroupValue(stored)).toThrow(/version 2/);
  });

  test("torn or lengthened bytes are no group", () => {
    const stored = encodeGroupValue(value);
    for (let length = 0; length < stored.length; length += 1) {
      expect(() => decodeGroupValue(stored.subarray(0, length))).toThrow(MalformedMessageError);
    }
    expect(() => decodeGroupValue(Buffer.concat([stored, Buffer.alloc(1)]))).toThrow(MalformedMessageError);
  });

  test("the wall time is put in when it is stored", () => {
    const { stateTimestampMs, ...unstamped } = value;
    expect(stampGroupValue(unstamped, stateTimestampMs)).toEqual(value);
  });
});
