/**
 * A snapshot: the whole image as the records that make it again.
 *
 * Bytes: `BMS1`, SHA-256 of what follows (32 bytes), then lines of JSON in UTF-8: the header
 * `{"cell", "seq", "featureLevel", "nextBrokerId", "retiredBrokerIds"}` and one record a line, `[type, version, fields]`.
 * Equal images have equal bytes. Written once, never changed. Described in docs/formats/metadata-log.md.
 */
import { createHash } from "node:crypto";
import type { DecodeFailure } from "../records/entry.ts";
import type { MetadataRecord } from "../records/record.ts";
import { decodeRecord, encodeRecord, UnsupportedRecordError } from "../records/record-codec.ts";
import { integer, type JsonValue, listOf, objectOf, ShapeError, text } from "../records/shape.ts";
import { ImageState } from "./image-state.ts";
import type { MetadataImage } from "./metadata-image.ts";
import { replayUnnumbered } from "./replay.ts";

export type SnapshotDecodeResult = { readonly kind: "decoded"; readonly state: ImageState } | DecodeFailure;

const magic = Buffer.from("BMS1");
const hashBytes = 32;
const headerShape = objectOf({
  cell: text,
  seq: integer(0),
  featureLevel: integer(1),
  nextBrokerId: integer(0),
  retiredBrokerIds: listOf(integer(0)),
});

/** Nobody: snapshots keep only the end of the producer ids that were given out, not to whom. */
const noBroker = -1;

export function encodeSnapshot(image: MetadataImage): Buffer {
  const { cell, seq, featureLevel, nextBrokerId } = image;
  const retiredBrokerIds = [...image.retiredBrokerIds].sort((a, b) => a - b);
  const lines = [JSON.stringify(headerShape.encode({ cell, seq, featureLevel, nextBrokerId, retiredBrokerIds }))];
  for (const record of recordsOf(image)) {
    lines.push(JSON.stringify(encodeRecord(record, featureLevel)));
  }
  const body = Buffer.from(lines.join("\n"));
  return Buffer.concat([magic, createHash("sha256").update(body).digest(), body]);
}

export function decodeSnapshot(bytes: Buffer): SnapshotDecodeResult {
  const body = bytes.subarray(magic.length + hashBytes);
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    return { kind: "unsupported", message: "snapshot format is not known to this build" };
  }
  if (
    !createHash("sha256")
      .update(body)
      .digest()
      .equals(bytes.subarray(magic.length, magic.length + hashBytes))
  ) {
    return { kind: "corrupt", message: "snapshot checksum does not match" };
  }
  try {
    return { kind: "decoded", state: stateOf(body.toString().split("\n")) };
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

function stateOf(lines: readonly string[]): ImageState {
  const [first = "", ...rest] = lines;
  const header = headerShape.decode(JSON.parse(first) as JsonValue, "header");
  const state = ImageState.empty(header.cell);
  replayUnnumbered(
    state,
    rest.map((line, index) => decodeRecord(JSON.parse(line) as JsonValue, `line ${index + 2}`)),
  );
  state.featureLevel = header.featureLevel;
  state.nextBrokerId = header.nextBrokerId;
  for (const id of header.retiredBrokerIds) state.retiredBrokerIds.add(id);
  state.seq = header.seq;
  return state;
}

function* recordsOf(image: MetadataImage): Generator<MetadataRecord> {
  if (image.controller !== undefined) {
    yield { type: "controller-elected", ...image.controller };
  }
  yield* image.brokers.values();
  yield* image.logicalClusters.values();
  yield* image.apiKeys.values();
  for (const topic of image.topics.values()) {
    const { topicId, lkc, name, createdMs, configs, partitions } = topic;
    yield { type: "topic-upserted", topicId, lkc, name, createdMs, configs };
    yield { type: "partitions-upserted", topicId, partitions };
  }
  yield { type: "cell-config-replaced", configs: image.cellConfigs };
  if (image.nextProducerId > 0) {
    yield { type: "producer-ids-allocated", brokerId: noBroker, first: 0, count: image.nextProducerId };
  }
}
