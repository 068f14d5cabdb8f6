/**
 * A snapshot: the whole image as the records that make it again.
 *
 * Bytes: `BMS1`, SHA-256 of what follows (32 bytes), then lines of JSON in UTF-8: the header
 * `{"cell", "seq", "featureLevel", "nextBrokerId", "retiredBrokerIds"}` and one record a line, `[type, version, fields]`.
 * Equal images have equal bytes. Written once, never changed. Described in docs/formats/metadata-log.md.
 */
import { createHash } from "node:crypto";
import type { DecodeFailure } from "../records/entry.ts";
import type {
  ApiKeyUpserted,
  BrokerId,
  BrokerRegistered,
  LogicalClusterUpserted,
  MetadataRecord,
  MetadataSeq,
} from "../records/record.ts";
import { decodeRecord, encodeRecord, UnsupportedRecordError } from "../records/record-codec.ts";
import { integer, type JsonValue, listOf, objectOf, ShapeError, text } from "../records/shape.ts";
import { ImageState } from "./image-state.ts";
import type { MetadataImage, TopicImage } from "./metadata-image.ts";
import { replayUnnumbered } from "./replay.ts";

export type SnapshotDecodeResult = { readonly kind: "decoded"; readonly state: ImageState } | DecodeFailure;

const magic = Buffer.from("BMS1");
const hashBytes = 32;
interface SnapshotHeader {
  readonly cell: string;
  readonly seq: MetadataSeq;
  readonly featureLevel: number;
  readonly nextBrokerId: BrokerId;
  readonly retiredBrokerIds: readonly BrokerId[];
}

const headerShape = objectOf<SnapshotHeader>({
  cell: text,
  seq: integer(0),
  featureLevel: integer(1),
  nextBrokerId: integer(0),
  retiredBrokerIds: listOf(integer(0)),
});

/** Nobody: snapshots keep only the end of the producer ids that were given out, not to whom. */
const noBroker = -1;

/**
 * The values of an image at one moment, for a writer that takes its time: the image goes on, its values never change.
 * Costs a copy of references.
 */
export interface CapturedImage {
  readonly header: SnapshotHeader;
  readonly controller: MetadataImage["controller"];
  readonly brokers: readonly BrokerRegistered[];
  readonly logicalClusters: readonly LogicalClusterUpserted[];
  readonly apiKeys: readonly ApiKeyUpserted[];
  readonly topics: readonly TopicImage[];
  readonly cellConfigs: MetadataImage["cellConfigs"];
  readonly nextProducerId: number;
}

export function captureImage(image: MetadataImage): CapturedImage {
  const { cell, seq, featureLevel, nextBrokerId, controller, cellConfigs, nextProducerId } = image;
  const retiredBrokerIds = [...image.retiredBrokerIds].sort((a, b) => a - b);
  return {
    header: { cell, seq, featureLevel, nextBrokerId, retiredBrokerIds },
    controller,
    brokers: [...image.brokers.values()],
    logicalClusters: [...image.logicalClusters.values()],
    apiKeys: [...image.apiKeys.values()],
    topics: [...image.topics.values()],
    cellConfigs,
    nextProducerId,
  };
}

/** The lines of a snapshot, one by one, so that a large image can be written in many turns of the event loop. */
export function* snapshotLines(captured: CapturedImage): Generator<string> {
  yield JSON.stringify(headerShape.encode(captured.header));
  for (const record of recordsOf(captured)) {
    yield JSON.stringify(encodeRecord(record, captured.header.featureLevel));
  }
}

/** Why a line does not say what it was written for; undefined when it can be read, and read as it was meant. */
export function snapshotLineFault(line: string, index: number, featureLevel: number): string | undefined {
  try {
    const json = JSON.parse(line) as JsonValue;
    const again =
      index === 0
        ? headerShape.encode(headerShape.decode(json, "header"))
        : encodeRecord(decodeRecord(json, ""), featureLevel);
    return JSON.stringify(again) === line ? undefined : `line ${index + 1} is read as something else`;
  } catch (error) {
    return `line ${index + 1}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The bytes of a snapshot: the body with what proves it. */
export function frameSnapshot(body: readonly Buffer[], sha256: Buffer): Buffer {
  return Buffer.concat([magic, sha256, ...body]);
}

/** The body of framed bytes. */
export function snapshotBody(bytes: Buffer): Buffer {
  return bytes.subarray(magic.length + hashBytes);
}

/** The SHA-256 that stands in framed bytes; it is that of the body only if `decodeSnapshot` says so. */
export function snapshotHash(bytes: Buffer): Buffer {
  return bytes.subarray(magic.length, magic.length + hashBytes);
}

/** All at once: for small images, tools and tests. */
export function encodeSnapshot(image: MetadataImage): Buffer {
  const body = Buffer.from([...snapshotLines(captureImage(image))].join("\n"));
  return frameSnapshot([body], createHash("sha256").update(body).digest());
}

export function decodeSnapshot(bytes: Buffer): SnapshotDecodeResult {
  const body = snapshotBody(bytes);
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

function* recordsOf(image: CapturedImage): Generator<MetadataRecord> {
  if (image.controller !== undefined) {
    yield { type: "controller-elected", ...image.controller };
  }
  yield* image.brokers;
  yield* image.logicalClusters;
  yield* image.apiKeys;
  for (const topic of image.topics) {
    const { topicId, lkc, name, createdMs, configs, partitions } = topic;
    yield { type: "topic-upserted", topicId, lkc, name, createdMs, configs };
    yield { type: "partitions-upserted", topicId, partitions };
  }
  yield { type: "cell-config-replaced", configs: image.cellConfigs };
  if (image.nextProducerId > 0) {
    yield { type: "producer-ids-allocated", brokerId: noBroker, first: 0, count: image.nextProducerId };
  }
}
