/** One record as JSON: `[type, version, fields]`. Entries of the log and snapshots are made of these. */
import type { MetadataRecord } from "./record.ts";
import { type RecordCodec, recordCodecs } from "./record-shapes.ts";
import { type JsonValue, ShapeError } from "./shape.ts";

/**
 * A record that this build does not know, by type or version: it was written by a newer build. The reader must stop
 * (DESIGN section 4, Versions). Caught by the entry and snapshot codecs and turned into their `unsupported` result.
 */
export class UnsupportedRecordError extends Error {
  readonly code = "METADATA_RECORD_UNSUPPORTED";
  constructor(type: string, version: JsonValue | undefined) {
    super(
      `record ${type} version ${JSON.stringify(version)} is not known to this build: it was written by a newer one`,
    );
    this.name = "UnsupportedRecordError";
  }
}

/** Throws when the record is not well formed, or not allowed at this feature level: both are bugs of the writer. */
export function encodeRecord(record: MetadataRecord, featureLevel: number): JsonValue {
  const codec = codecOf(record.type);
  if (codec.featureLevel > featureLevel) {
    throw new Error(`record ${record.type} needs feature level ${codec.featureLevel}, the log is at ${featureLevel}`);
  }
  return [record.type, codec.version, codec.shape.encode(record)];
}

/** Throws `UnsupportedRecordError` or `ShapeError`. */
export function decodeRecord(json: JsonValue, path: string): MetadataRecord {
  if (!Array.isArray(json) || json.length !== 3) {
    throw new ShapeError(path, "[type, version, fields]");
  }
  const [type, version, fields]: readonly JsonValue[] = json;
  if (typeof type !== "string" || fields === undefined) {
    throw new ShapeError(path, "a record type");
  }
  if (!Object.hasOwn(recordCodecs, type) || version !== codecOf(type as MetadataRecord["type"]).version) {
    throw new UnsupportedRecordError(type, version);
  }
  const decoded = codecOf(type as MetadataRecord["type"]).shape.decode(fields, `${path} ${type}`);
  return { type, ...decoded } as MetadataRecord;
}

/** The table pairs every type with the shape of its own fields; that is lost here, where the type is only known at run time. */
function codecOf(type: MetadataRecord["type"]): RecordCodec<object> {
  return recordCodecs[type] as RecordCodec<object>;
}
