/**
 * Goal: what is encoded decodes to the same value, for every message at every version.
 * Method: random values derived from the tables.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from "../../../../../shared/kafka/codec/message-codec.ts";
import { produce } from "../../../../../shared/kafka/schema/produce.ts";
import { allApis, apiByKey } from "../../../../../shared/kafka/schema/registry.ts";
import { messageArbitrary } from "./message-arbitrary.ts";

const runsPerVersion = 12;

function versionsOf(api: (typeof allApis)[number]): number[] {
  return Array.from({ length: api.versions.max - api.versions.min + 1 }, (_, index) => api.versions.min + index);
}

describe.each(allApis)("$name", (api) => {
  test("a request comes out as it went in, at every version", () => {
    for (const version of versionsOf(api)) {
      const header = { correlationId: version, clientId: version % 2 === 0 ? "client" : null };
      fc.assert(
        fc.property(messageArbitrary(api, "request", version), (body) => {
          const frame = Buffer.concat(encodeRequest(api, version, header, body as never));

          const payload = frame.subarray(4);
          const read = decodeRequestHeader(payload, apiByKey);
          const decoded = decodeRequest(api, version, { frame: payload, offset: read.bodyOffset });

          expect(frame.readInt32BE(0)).toBe(payload.length);
          expect(read).toMatchObject({ ...header, apiKey: api.key, apiVersion: version, api, supported: true });
          expect(decoded).toEqual(body);
        }),
        { numRuns: runsPerVersion, seed: version },
      );
    }
  });

  test("a response comes out as it went in, at every version", () => {
    for (const version of versionsOf(api)) {
      fc.assert(
        fc.property(messageArbitrary(api, "response", version), fc.integer(), (body, correlationId) => {
          const frame = Buffer.concat(encodeResponse(api, version, correlationId, body as never));

          const decoded = decodeResponse(api, version, frame.subarray(4));

          expect(frame.readInt32BE(0)).toBe(frame.length - 4);
          expect(decoded).toEqual({ correlationId, body });
        }),
        { numRuns: runsPerVersion, seed: version },
      );
    }
  });
});

describe("request header", () => {
  const request = { acks: -1, timeoutMs: 1, topicData: [] };

  test("an unknown API is told by an undefined table, and nothing behind the correlation id is read", () => {
    const frame = Buffer.from([0x03, 0xe7, 0, 1, 0, 0, 0, 7]);

    const header = decodeRequestHeader(frame, apiByKey);

    expect(header).toMatchObject({ apiKey: 999, apiVersion: 1, correlationId: 7, api: undefined, supported: false });
  });

  test("an unknown version of a known API is told apart from an unknown API", () => {
    const frame = Buffer.from([0, 18, 0, 99, 0, 0, 0, 7]);

    const header = decodeRequestHeader(frame, apiByKey);

    expect(header).toMatchObject({ apiKey: 18, apiVersion: 99, supported: false });
    expect(header.api?.name).toBe("ApiVersions");
  });

  test("a negative version is unsupported", () => {
    const header = decodeRequestHeader(Buffer.from([0, 18, 0xff, 0xff, 0, 0, 0, 7]), apiByKey);

    expect(header.supported).toBe(false);
  });

  test("unknown tags of a flexible header are skipped", () => {
    const [frame = Buffer.alloc(0)] = encodeRequest(produce, 9, { correlationId: 1, clientId: "c" }, request);
    const plain = frame.subarray(4);
    // The header's tag count stands behind key, version, correlation id and the client id of one byte.
    const tagsAt = 8 + 2 + 1;
    const tagged = Buffer.concat([
      plain.subarray(0, tagsAt),
      Buffer.from([2, 0, 1, 0xaa, 0x85, 1, 2, 0xbb, 0xcc]),
      plain.subarray(tagsAt + 1),
    ]);

    const header = decodeRequestHeader(tagged, apiByKey);

    expect(decodeRequest(produce, 9, { frame: tagged, offset: header.bodyOffset })).toMatchObject(request);
  });
});
