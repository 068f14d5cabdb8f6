import { encodedRecordBytes } from "./entry.ts";
import { entryBytesMax, entryEnvelopeBytes, entryRecordsMax } from "./limits.ts";
import type { MetadataRecord } from "./record.ts";

/** Room for records in one entry. */
const recordBytesMax = entryBytesMax - entryEnvelopeBytes;

/**
 * Cuts a change that is larger than an entry into groups that each fit into one, in order. Records of several
 * partitions are cut by partition (DESIGN section 4: a mass election is split so). Only for changes that are right
 * after every prefix of the groups: between two of them another writer may come in.
 */
export function splitRecords(
  records: readonly MetadataRecord[],
  featureLevel: number,
  bytesMax: number = recordBytesMax,
): readonly (readonly MetadataRecord[])[] {
  const groups: MetadataRecord[][] = [];
  let bytes = 0;
  for (const record of records.flatMap((whole) => pieces(whole, featureLevel, bytesMax))) {
    const size = encodedRecordBytes(record, featureLevel);
    const group = groups.at(-1);
    if (group === undefined || bytes + size > bytesMax || group.length === entryRecordsMax) {
      groups.push([record]);
      bytes = size;
    } else {
      group.push(record);
      bytes += size;
    }
  }
  return groups;
}

/** Halves a record of many partitions until each piece fits. A record that cannot be cut is a bug of its writer. */
function pieces(record: MetadataRecord, featureLevel: number, bytesMax: number): readonly MetadataRecord[] {
  if (encodedRecordBytes(record, featureLevel) <= bytesMax) {
    return [record];
  }
  const halves = halved(record);
  if (halves === undefined) {
    throw new Error(`record ${record.type} is larger than an entry and cannot be cut`);
  }
  return halves.flatMap((half) => pieces(half, featureLevel, bytesMax));
}

function halved(record: MetadataRecord): readonly MetadataRecord[] | undefined {
  if (record.type !== "partitions-upserted" && record.type !== "election-intended") {
    return undefined;
  }
  const middle = Math.ceil(record.partitions.length / 2);
  if (middle === record.partitions.length) {
    return undefined;
  }
  if (record.type === "partitions-upserted") {
    return [
      { ...record, partitions: record.partitions.slice(0, middle) },
      { ...record, partitions: record.partitions.slice(middle) },
    ];
  }
  return [
    { ...record, partitions: record.partitions.slice(0, middle) },
    { ...record, partitions: record.partitions.slice(middle) },
  ];
}
