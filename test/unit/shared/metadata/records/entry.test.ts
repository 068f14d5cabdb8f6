import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeEntry, encodeEntry, type MetadataEntry } from "../../../../../shared/metadata/records/entry.ts";
import { entryBytesMax, entryRecordsMax } from "../../../../../shared/metadata/records/limits.ts";
import type { MetadataRecord } from "../../../../../shared/metadata/records/record.ts";
import { arbitraryRecord, arbitraryRecordOf, recordTypes } from "./arbitrary-records.ts";
import { extendedGoldenRecords, goldenRecords } from "./golden-records.ts";

function entryOf(records: readonly MetadataRecord[]): MetadataEntry {
  return { id: "0".repeat(32), writer: "broker-1", featureLevel: 1, records };
}

function encoded(entry: MetadataEntry): Buffer {
  const result = encodeEntry(entry);
  if (result.kind !== "encoded") {
    throw new Error(result.kind);
  }
  return result.bytes;
}

/** An entry as another build might have written it. */
function bytesOf(json: unknown): Buffer {
  const body = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
  const header = Buffer.alloc(5);
  header.writeUInt8(1, 0);
  header.writeUInt32BE(crc32(body), 1);
  return Buffer.concat([header, body]);
}

describe("entries", () => {
  for (const type of recordTypes) {
    test(`${type}: what is written is read back`, () => {
      fc.assert(
        fc.property(arbitraryRecordOf(type), (record) => {
          expect(decodeEntry(encoded(entryOf([record])))).toEqual({ kind: "decoded", entry: entryOf([record]) });
        }),
        { numRuns: 50 },
      );
    });
  }

  for (const [record, json] of [...goldenRecords, ...extendedGoldenRecords]) {
    test(`${record.type}, ${Object.keys(record).length} fields: the bytes of version 1 stay as they are`, () => {
      const bytes = bytesOf(`{"id":"${"0".repeat(32)}","writer":"broker-1","featureLevel":1,"records":[${json}]}`);
      expect(encoded(entryOf([record])).toString()).toBe(bytes.toString());
      expect(decodeEntry(bytes)).toEqual({ kind: "decoded", entry: entryOf([record]) });
    });
  }

  test("every record type has a golden sample", () => {
    expect(new Set(goldenRecords.map(([record]) => record.type))).toEqual(new Set(recordTypes));
  });

  test("a record of an unknown type or version is unsupported", () => {
    const entry = { id: "x", writer: "w", featureLevel: 9 };
    expect(decodeEntry(bytesOf({ ...entry, records: [["acl-upserted", 1, {}]] }))).toEqual({
      kind: "unsupported",
      message: "record acl-upserted version 1 is not known to this build: it was written by a newer one",
    });
    expect(decodeEntry(bytesOf({ ...entry, records: [["topic-deleted", 2, {}]] })).kind).toBe("unsupported");
    expect(decodeEntry(bytesOf({ ...entry, records: [["toString", 1, {}]] })).kind).toBe("unsupported");
  });

  test("damage is seen: no changed byte is read as an entry", () => {
    const bytes = encoded(entryOf([{ type: "topic-deleted", topicId: "a".repeat(32) }]));
    for (let index = 0; index < bytes.length; index++) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(bytes.readUInt8(index) ^ 0x20, index);
      expect(decodeEntry(damaged).kind).not.toBe("decoded");
    }
    expect(decodeEntry(bytes.subarray(0, 4)).kind).toBe("corrupt");
    expect(decodeEntry(Buffer.alloc(entryBytesMax + 1, 1)).kind).toBe("corrupt");
  });

  test("whatever the JSON is, decoding answers and does not throw", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...recordTypes), (json, type) => {
        const records = [[type, 1, json]];
        const result = decodeEntry(bytesOf({ id: "x", writer: "w", featureLevel: 1, records }));
        expect(["decoded", "corrupt"]).toContain(result.kind);
        expect(decodeEntry(bytesOf(json)).kind).toBe("corrupt");
      }),
      { numRuns: 200 },
    );
  });

  test("a record with a field too many, too few, or of another type is corrupt", () => {
    const entry = { id: "x", writer: "w", featureLevel: 1 };
    const broken = [
      ["topic-deleted", 1, { topicId: "a".repeat(32), more: 1 }],
      ["topic-deleted", 1, {}],
      ["topic-deleted", 1, { topicId: "short" }],
      ["broker-unregistered", 1, { brokerId: -1 }],
      ["broker-unregistered", 1, { brokerId: 1.5 }],
      ["topic-deleted", 1],
      "topic-deleted",
    ];
    for (const record of broken) {
      expect(decodeEntry(bytesOf({ ...entry, records: [record] })).kind).toBe("corrupt");
    }
  });

  test("what does not fit is too large, in bytes or in records", () => {
    const configs = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`name-${n}`, "x".repeat(10_000)]));
    expect(encodeEntry(entryOf([{ type: "cell-config-replaced", configs }])).kind).toBe("too-large");
    const small: MetadataRecord = { type: "broker-unregistered", brokerId: 1 };
    expect(encodeEntry(entryOf(Array.from({ length: entryRecordsMax + 1 }, () => small))).kind).toBe("too-large");
    expect(encodeEntry(entryOf(Array.from({ length: entryRecordsMax }, () => small))).kind).toBe("encoded");
  });

  test("malformed records, and those above the log's feature level, are the writer's bug", () => {
    expect(() => encodeEntry(entryOf([{ type: "broker-unregistered", brokerId: Number.NaN }]))).toThrow("integer");
    expect(() => encodeEntry({ ...entryOf([{ type: "broker-unregistered", brokerId: 1 }]), featureLevel: 0 })).toThrow(
      "feature level",
    );
    fc.assert(
      fc.property(arbitraryRecord, (record) => {
        const withExtra: MetadataRecord = Object.assign({ extra: 1 }, record);
        expect(decodeEntry(encoded(entryOf([withExtra])))).toEqual({ kind: "decoded", entry: entryOf([record]) });
      }),
      { numRuns: 50 },
    );
  });
});
