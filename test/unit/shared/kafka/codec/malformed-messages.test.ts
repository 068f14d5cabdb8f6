/**
 * Goal: whatever bytes a peer sends, decoding ends soon, with a value or with `MalformedMessageError`, and claims of
 * size allocate nothing.
 * Method: from valid messages of every API and version: every truncation, seeded mutations, forged lengths; and bytes
 * at random.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Api } from "../../../../../shared/kafka/codec/fields.ts";
import { messageElementsMax } from "../../../../../shared/kafka/codec/limits.ts";
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from "../../../../../shared/kafka/codec/message-codec.ts";
import { MalformedMessageError } from "../../../../../shared/kafka/codec/message-error.ts";
import { deleteGroups } from "../../../../../shared/kafka/schema/delete-groups.ts";
import { initProducerId } from "../../../../../shared/kafka/schema/init-producer-id.ts";
import { metadata } from "../../../../../shared/kafka/schema/metadata.ts";
import { allApis, apiByKey } from "../../../../../shared/kafka/schema/registry.ts";
import { saslHandshake } from "../../../../../shared/kafka/schema/sasl-handshake.ts";
import { messageArbitrary } from "./message-arbitrary.ts";

/** Bytes that mean something special in some encoding: null, empty, extreme lengths, continued varints. */
const telling = [0x00, 0x01, 0x7f, 0x80, 0xff];

function decodeWhole(payload: Buffer): void {
  const header = decodeRequestHeader(payload, apiByKey);
  if (header.api === undefined || !header.supported) return;
  decodeRequest(header.api, header.apiVersion, { frame: payload, offset: header.bodyOffset });
}

/** Runs a decoder; true when it took the bytes, false when it refused them as malformed; else the bug surfaces. */
function accepts(decode: () => void): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof MalformedMessageError) return false;
    throw error;
  }
}

/** Some valid messages of an API at a version: the same ones in every run. */
function samples(api: Api, kind: "request" | "response", version: number, count: number): Buffer[] {
  return fc.sample(messageArbitrary(api, kind, version), { numRuns: count, seed: 1_000 + version }).map((body) => {
    const header = { correlationId: 1, clientId: "me" };
    const chunks =
      kind === "request"
        ? encodeRequest(api, version, header, body as never)
        : encodeResponse(api, version, 1, body as never);
    return Buffer.concat(chunks).subarray(4);
  });
}

function eachVersion(api: Api, run: (version: number) => void): void {
  for (let version = api.versions.min; version <= api.versions.max; version += 1) run(version);
}

describe.each(allApis)("$name", (api) => {
  test("every truncation is refused", () => {
    eachVersion(api, (version) => {
      for (const payload of samples(api, "request", version, 2)) {
        for (let length = 0; length < payload.length; length += 1) {
          const cut = payload.subarray(0, length);
          expect(accepts(() => decodeWhole(cut))).toBe(false);
        }
        // librdkafka 2.16 leaves bytes behind a Metadata request; Kafka's broker passes over them, and so do we.
        expect(accepts(() => decodeWhole(Buffer.concat([payload, Buffer.from([1, 0, 0])])))).toBe(true);
      }
      for (const payload of samples(api, "response", version, 1)) {
        for (let length = 0; length < payload.length; length += 1) {
          expect(accepts(() => decodeResponse(api, version, payload.subarray(0, length)))).toBe(false);
        }
      }
    });
  });

  test("mutated messages are taken or refused, nothing else", () => {
    let state = api.key + 1;
    const next = (bound: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    eachVersion(api, (version) => {
      for (const payload of samples(api, "request", version, 4)) {
        for (let round = 0; round < 40; round += 1) {
          const mutated = Buffer.from(payload);
          for (let left = 1 + next(3); left > 0; left -= 1) {
            const value = next(2) === 0 ? next(256) : (telling[next(telling.length)] as number);
            mutated[4 + next(mutated.length - 4)] = value;
          }
          accepts(() => decodeWhole(mutated));
        }
      }
    });
  });
});

describe("any bytes", () => {
  test("behind a valid header are taken or refused, nothing else", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...allApis),
        fc.nat({ max: 20 }),
        fc.uint8Array({ maxLength: 200 }),
        (api, at, bytes) => {
          const version = api.versions.min + (at % (api.versions.max - api.versions.min + 1));
          const frame = Buffer.from(bytes);
          accepts(() => decodeRequest(api, version, { frame, offset: 0 }));
          accepts(() => decodeResponse(api, version, frame));
          accepts(() => decodeRequestHeader(frame, apiByKey));
        },
      ),
      { numRuns: 3_000, seed: 7 },
    );
  });
});

describe("claims of size", () => {
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };

  function codeOf(decode: () => void): string {
    try {
      decode();
    } catch (error) {
      if (error instanceof MalformedMessageError) return error.code;
      throw error;
    }
    return "taken";
  }

  test.each([
    ["more elements than bytes", int32(0x7fff_ffff), "TRUNCATED"],
    ["fewer bytes than the elements need at least", Buffer.concat([int32(3), Buffer.alloc(5)]), "TRUNCATED"],
    ["a length below null", int32(-2), "LENGTH_INVALID"],
    ["null where there is none", int32(-1), "NULL_NOT_ALLOWED"],
  ])("an array with %s is refused", (_, bytes, code) => {
    expect(codeOf(() => decodeRequest(deleteGroups, 0, { frame: bytes, offset: 0 }))).toBe(code);
  });

  test.each([
    ["longer than its bytes", Buffer.from([0x00, 0x05, 0x61]), "TRUNCATED"],
    ["below null", Buffer.from([0xff, 0xfe]), "LENGTH_INVALID"],
    ["null where there is none", Buffer.from([0xff, 0xff]), "NULL_NOT_ALLOWED"],
  ])("a string %s is refused", (_, bytes, code) => {
    expect(codeOf(() => decodeRequest(saslHandshake, 1, { frame: bytes, offset: 0 }))).toBe(code);
  });

  test.each([
    ["six bytes", [0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "VARINT_OVERLONG"],
    ["33 bits", [0xff, 0xff, 0xff, 0xff, 0x1f], "VARINT_OVERLONG"],
    ["32 bits", [0xff, 0xff, 0xff, 0xff, 0x0f], "TRUNCATED"],
  ])("a compact length with %s is refused", (_, bytes, code) => {
    expect(codeOf(() => decodeRequest(deleteGroups, 2, { frame: Buffer.from(bytes), offset: 0 }))).toBe(code);
  });

  test("elements are counted over all arrays of a message, before anything is made for them", () => {
    // One empty string takes two bytes on the wire, so the frame is small and the heap would not be.
    const frame = Buffer.concat([int32(messageElementsMax + 1), Buffer.alloc(2 * (messageElementsMax + 1))]);

    const code = codeOf(() => decodeRequest(deleteGroups, 0, { frame, offset: 0 }));

    expect(code).toBe("TOO_MANY_ELEMENTS");
  });

  test("a tagged field ends where its size says", () => {
    // No transactional id, timeout 0, producer id and epoch -1; one tag 7 of 100 bytes, of which two are there.
    const body = [0, 0, 0, 0, 0, ...Array<number>(10).fill(0xff), 1, 7, 100, 1, 2];

    const code = codeOf(() => decodeRequest(initProducerId, 4, { frame: Buffer.from(body), offset: 0 }));

    expect(code).toBe("TRUNCATED");
  });

  test("a producer id beyond 2^53 is refused: two ids must not become one", () => {
    const body = Buffer.from([0, 0, 0, 0, 0, 0x7f, ...Array<number>(7).fill(0xff), 0, 0, 0]);

    const code = codeOf(() => decodeRequest(initProducerId, 4, { frame: body, offset: 0 }));

    expect(code).toBe("VALUE_OUT_OF_RANGE");
  });

  test("the error names message, version, field and place", () => {
    // One broker, whose host is said to have 16 bytes; one is there.
    const body = Buffer.from([0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 5, 0, 16, 0x61, 0, 0, 0, 0]);

    expect(() => decodeResponse(metadata, 0, body)).toThrow(
      "MetadataResponse v0: brokers[].host: 16 bytes needed, 5 left (at byte 14)",
    );
  });

  test("a version outside the table is an error of the same class", () => {
    expect(codeOf(() => decodeRequest(metadata, 99, { frame: Buffer.alloc(9), offset: 0 }))).toBe(
      "VERSION_UNSUPPORTED",
    );
  });
});
