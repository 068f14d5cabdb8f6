/**
 * One entry of the metadata log: a batch of records that is applied whole.
 *
 * Bytes: format (1 byte, 1), CRC-32 of what follows (4 bytes, big endian), then JSON in UTF-8:
 * `{"id", "writer", "featureLevel", "records": [[type, version, fields], …]}`. Written once, never changed.
 * Described with an example in docs/formats/metadata-log.md.
 */
import { crc32 } from "node:zlib";
import { entryBytesMax, entryRecordsMax } from "./limits.ts";
import type { MetadataRecord } from "./record.ts";
import { decodeRecord, encodeRecord, UnsupportedRecordError } from "./record-codec.ts";
import { type JsonValue, ShapeError } from "./shape.ts";

export interface MetadataEntry {
  /** Unique (a random UUID, 32 hex digits): settles a put whose outcome is not known. */
  readonly id: string;
  /** Who wrote it, for people: `broker-3`, `provisioning`. Nothing is decided by it. */
  readonly writer: string;
  /** The log's feature level when it was written. */
  readonly featureLevel: number;
  readonly records: readonly MetadataRecord[];
}

/** `unsupported`: a newer build wrote it, the reader must stop. `corrupt`: these are not the bytes that were written. */
export type DecodeFailure = { readonly kind: "unsupported" | "corrupt"; readonly message: string };

export type EntryDecodeResult = { readonly kind: "decoded"; readonly entry: MetadataEntry } | DecodeFailure;

const formatVersion = 1;
const headerBytes = 5;

/** Encoded, or `too-large` (over `entryBytesMax` or `entryRecordsMax`): split the records. Throws on malformed records. */
export function encodeEntry(
  entry: MetadataEntry,
): { readonly kind: "encoded"; readonly bytes: Buffer } | { readonly kind: "too-large" } {
  if (entry.records.length > entryRecordsMax) {
    return { kind: "too-large" };
  }
  const json = JSON.stringify({
    id: entry.id,
    writer: entry.writer,
    featureLevel: entry.featureLevel,
    records: entry.records.map((record) => encodeRecord(record, entry.featureLevel)),
  });
  const bytes = Buffer.allocUnsafe(headerBytes + Buffer.byteLength(json));
  if (bytes.length > entryBytesMax) {
    return { kind: "too-large" };
  }
  bytes.write(json, headerBytes);
  bytes.writeUInt8(formatVersion, 0);
  bytes.writeUInt32BE(crc32(bytes.subarray(headerBytes)), 1);
  return { kind: "encoded", bytes };
}

/** Bytes that a record adds to an entry. */
export function encodedRecordBytes(record: MetadataRecord, featureLevel: number): number {
  return Buffer.byteLength(JSON.stringify(encodeRecord(record, featureLevel))) + 1;
}

export function decodeEntry(bytes: Buffer): EntryDecodeResult {
  if (bytes.length < headerBytes || bytes.length > entryBytesMax) {
    return { kind: "corrupt", message: `entry of ${bytes.length} bytes` };
  }
  const format = bytes.readUInt8(0);
  if (format !== formatVersion) {
    return { kind: "unsupported", message: `entry format ${format} is not known to this build` };
  }
  if (crc32(bytes.subarray(headerBytes)) !== bytes.readUInt32BE(1)) {
    return { kind: "corrupt", message: "entry checksum does not match" };
  }
  return decodeBody(bytes.toString("utf8", headerBytes));
}

function decodeBody(json: string): EntryDecodeResult {
  try {
    return { kind: "decoded", entry: entryOf(JSON.parse(json) as JsonValue) };
  } catch (error) {
    if (error instanceof UnsupportedRecordError) {
      return { kind: "unsupported", message: error.message };
    }
    if (error instanceof ShapeError || error instanceof SyntaxError) {
      return { kind: "corrupt", message: error.message };
    }
    throw error;
  }
}

function entryOf(json: JsonValue): MetadataEntry {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ShapeError("entry", "an object");
  }
  const { id, writer, featureLevel, records } = json as { readonly [key: string]: JsonValue };
  if (typeof id !== "string" || typeof writer !== "string" || typeof featureLevel !== "number") {
    throw new ShapeError("entry", "id, writer and featureLevel");
  }
  if (!Array.isArray(records)) {
    throw new ShapeError("entry", "a list of records");
  }
  return {
    id,
    writer,
    featureLevel,
    records: records.map((record: JsonValue, index) => decodeRecord(record, `records[${index}]`)),
  };
}
