/**
 * How each record type is written: its version, the feature level from which it may be written, and its fields.
 * A type's name is never used again for something else; a change of the fields raises `version`, keeps the old shape
 * for reading, and comes with a new feature level (docs/formats/metadata-log.md).
 */
import type { Endpoint, MetadataRecord, PartitionState } from "./record.ts";
import { flag, integer, listOf, mapOf, objectOf, optional, type Shape, text, textLike, tupleOf } from "./shape.ts";

type Fields<Type extends MetadataRecord["type"]> = Omit<Extract<MetadataRecord, { type: Type }>, "type">;

export interface RecordCodec<T> {
  readonly version: number;
  /** Written only when the log's feature level is at least this. */
  readonly featureLevel: number;
  readonly shape: Shape<T>;
}

const brokerId = integer(0);
/** -1: none. */
const brokerIdOrNone = integer(-1);
const topicId = textLike(/^[0-9a-f]{32}$/);
const lkc = textLike(/^lkc-[a-z0-9]{3,32}$/);
const configs = mapOf(text);
const millis = integer(0);
const endpoint: Shape<Endpoint> = objectOf({ host: text, port: integer(0) });

const partitionState: Shape<PartitionState> = tupleOf({
  partition: integer(0),
  partitionEpoch: integer(0),
  voters: listOf(brokerId),
  outgoing: listOf(brokerId),
  learners: listOf(brokerId),
  lost: listOf(brokerId),
  leader: brokerIdOrNone,
  leaderEpoch: integer(0),
  intendedEpoch: integer(0),
  logStartOffset: integer(0),
});

function first<T>(shape: Shape<T>): RecordCodec<T> {
  return { version: 1, featureLevel: 1, shape };
}

export const recordCodecs: { readonly [Type in MetadataRecord["type"]]: RecordCodec<Fields<Type>> } = {
  "feature-level-raised": first(objectOf({ level: integer(1) })),
  "controller-elected": first(objectOf({ brokerId, controllerEpoch: integer(1) })),
  "broker-registered": first(
    objectOf({
      brokerId,
      storageId: text,
      incarnationId: text,
      zone: text,
      peer: endpoint,
      listeners: mapOf(endpoint),
      featureLevelMax: integer(1),
      suspect: flag,
    }),
  ),
  "broker-unregistered": first(objectOf({ brokerId })),
  "logical-cluster-upserted": first(objectOf({ lkc, name: text, createdMs: millis, closedMs: optional(millis) })),
  "logical-cluster-deleted": first(objectOf({ lkc })),
  "api-key-upserted": first(
    objectOf({
      keyId: text,
      lkc,
      principal: text,
      verifier: text,
      createdMs: millis,
      expiresMs: optional(millis),
    }),
  ),
  "api-key-deleted": first(objectOf({ keyId: text })),
  "topic-upserted": first(objectOf({ topicId, lkc, name: text, createdMs: millis, configs })),
  "topic-deleted": first(objectOf({ topicId })),
  "partitions-upserted": first(objectOf({ topicId, partitions: listOf(partitionState) })),
  "election-intended": first(
    objectOf({
      topicId,
      partitions: listOf(
        tupleOf<Fields<"election-intended">["partitions"][number]>({
          partition: integer(0),
          partitionEpoch: integer(0),
          intendedEpoch: integer(0),
        }),
      ),
    }),
  ),
  "cell-config-replaced": first(objectOf({ configs })),
  "producer-ids-allocated": first(objectOf({ brokerId: brokerIdOrNone, first: integer(0), count: integer(1) })),
};
