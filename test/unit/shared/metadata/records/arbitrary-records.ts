import fc from "fast-check";
import type { MetadataRecord, PartitionState } from "../../../../../shared/metadata/records/record.ts";

type Fields<Type extends MetadataRecord["type"]> = Omit<Extract<MetadataRecord, { type: Type }>, "type">;

/** Few ids, so that records meet what earlier ones made. */
const brokerId = fc.integer({ min: 0, max: 5 });
const topicId = fc.constantFrom("a", "b", "c", "d").map((letter) => letter.repeat(32));
const lkc = fc.constantFrom("lkc-first", "lkc-other");
const name = fc.oneof(fc.constantFrom("orders", "clicks"), fc.string({ maxLength: 20 }));
const count = fc.integer({ min: 0, max: 1_000 });
const millis = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const endpoint = fc.record({ host: fc.string({ maxLength: 30 }), port: fc.integer({ min: 0, max: 65_535 }) });
const configs = fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), { maxKeys: 4 });
const brokers = fc.uniqueArray(brokerId, { maxLength: 4 });

const partitionState: fc.Arbitrary<PartitionState> = fc.record({
  partition: fc.integer({ min: 0, max: 4 }),
  partitionEpoch: count,
  voters: brokers,
  outgoing: brokers,
  learners: brokers,
  lost: brokers,
  leader: fc.integer({ min: -1, max: 5 }),
  leaderEpoch: count,
  intendedEpoch: count,
  logStartOffset: millis,
});

const byType: { readonly [Type in MetadataRecord["type"]]: fc.Arbitrary<Fields<Type>> } = {
  "feature-level-raised": fc.record({ level: fc.integer({ min: 1, max: 3 }) }),
  "controller-elected": fc.record({ brokerId, controllerEpoch: fc.integer({ min: 1, max: 100 }) }),
  "broker-registered": fc.record({
    brokerId,
    storageId: fc.string({ maxLength: 30 }),
    incarnationId: fc.string({ maxLength: 30 }),
    zone: fc.constantFrom("a", "b", "c"),
    peer: endpoint,
    listeners: fc.dictionary(fc.string({ maxLength: 10 }), endpoint, { maxKeys: 3 }),
    featureLevelMax: fc.integer({ min: 1, max: 9 }),
    suspect: fc.boolean(),
  }),
  "broker-unregistered": fc.record({ brokerId }),
  "logical-cluster-upserted": fc.record(
    { lkc, name, createdMs: millis, closedMs: millis },
    { requiredKeys: ["lkc", "name", "createdMs"] },
  ) as fc.Arbitrary<Fields<"logical-cluster-upserted">>,
  "logical-cluster-deleted": fc.record({ lkc }),
  "api-key-upserted": fc.record(
    {
      keyId: fc.constantFrom("K1", "K2", "K3"),
      lkc,
      principal: name,
      verifier: fc.string({ maxLength: 60 }),
      createdMs: millis,
      expiresMs: millis,
    },
    { requiredKeys: ["keyId", "lkc", "principal", "verifier", "createdMs"] },
  ) as fc.Arbitrary<Fields<"api-key-upserted">>,
  "api-key-deleted": fc.record({ keyId: fc.constantFrom("K1", "K2", "K3") }),
  // A topic's name follows from its id: no two topics of a tenant ever have the same one (invariants.ts).
  "topic-upserted": fc
    .record({ topicId, lkc, createdMs: millis, configs })
    .map((topic) => ({ ...topic, name: `topic-${topic.topicId[0]}` })),
  "topic-deleted": fc.record({ topicId }),
  // In ascending order, as every writer has them: an unordered one could leave a hole (invariants.ts).
  "partitions-upserted": fc.record({
    topicId,
    partitions: fc
      .uniqueArray(partitionState, { maxLength: 5, selector: ({ partition }) => partition })
      .map((states) => states.toSorted((a, b) => a.partition - b.partition)),
  }),
  "election-intended": fc.record({
    topicId,
    partitions: fc.array(
      fc.record({ partition: fc.integer({ min: 0, max: 4 }), partitionEpoch: count, intendedEpoch: count }),
      { maxLength: 5 },
    ),
  }),
  "cell-config-replaced": fc.record({ configs }),
  "producer-ids-allocated": fc.record({
    brokerId,
    first: fc.integer({ min: 0, max: 2 ** 45 }),
    count: fc.integer({ min: 1, max: 1_000 }),
  }),
};

export const recordTypes = Object.keys(byType) as readonly MetadataRecord["type"][];

export function arbitraryRecordOf(type: MetadataRecord["type"]): fc.Arbitrary<MetadataRecord> {
  return (byType[type] as fc.Arbitrary<object>).map((fields) => ({ type, ...fields }) as MetadataRecord);
}

export const arbitraryRecord: fc.Arbitrary<MetadataRecord> = fc.oneof(...recordTypes.map(arbitraryRecordOf));
