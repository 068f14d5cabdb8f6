import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodedRecordBytes, encodeEntry } from "../../../../../shared/metadata/records/entry.ts";
import type { MetadataRecord, PartitionState } from "../../../../../shared/metadata/records/record.ts";
import { splitRecords } from "../../../../../shared/metadata/records/split-records.ts";
import { arbitraryRecord } from "./arbitrary-records.ts";

function partition(index: number): PartitionState {
  return {
    partition: index,
    partitionEpoch: 12,
    voters: [1, 2, 3],
    outgoing: [],
    learners: [],
    lost: [],
    leader: 1,
    leaderEpoch: 5,
    intendedEpoch: 5,
    logStartOffset: 123_456_789,
  };
}

describe("splitting records into entries", () => {
  test("a mass election of 30,000 partitions makes entries that all fit, in order, with nothing lost", () => {
    const records = Array.from(
      { length: 3 },
      (_, topic): MetadataRecord => ({
        type: "partitions-upserted",
        topicId: String(topic).repeat(32),
        partitions: Array.from({ length: 10_000 }, (_, index) => partition(index)),
      }),
    );
    const groups = splitRecords(records, 1);
    const partitions = groups
      .flat()
      .flatMap((record) => (record.type === "partitions-upserted" ? record.partitions : []));
    expect(partitions).toEqual(
      records.flatMap((record) => (record.type === "partitions-upserted" ? record.partitions : [])),
    );
    expect(groups.length).toBeLessThan(12);
    for (const group of groups) {
      expect(encodeEntry({ id: "0".repeat(32), writer: "w", featureLevel: 1, records: group }).kind).toBe("encoded");
    }
  });

  test("groups keep the order, and each is as full as the next record allows", () => {
    fc.assert(
      fc.property(fc.array(arbitraryRecord, { maxLength: 30 }), (records) => {
        const bytesMax = 2_000;
        const groups = splitRecords(records, 3, bytesMax);
        const sizes = groups.map((group) => group.reduce((sum, record) => sum + encodedRecordBytes(record, 3), 0));
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(bytesMax);
        const types = groups.flat().map(({ type }) => type);
        // A record that was cut stands there several times in a row.
        const once = types.filter((type, index) => index === 0 || type !== types[index - 1]);
        const wanted = records
          .map(({ type }) => type)
          .filter((type, index, all) => index === 0 || type !== all[index - 1]);
        expect(once).toEqual(wanted);
      }),
    );
  });

  test("a record that cannot be cut is the writer's bug", () => {
    const record: MetadataRecord = { type: "cell-config-replaced", configs: { a: "x".repeat(3_000) } };
    expect(() => splitRecords([record], 1, 2_000)).toThrow("cannot be cut");
  });
});
