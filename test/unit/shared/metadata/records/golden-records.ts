import type { MetadataRecord } from "../../../../../shared/metadata/records/record.ts";

const topicId = "0123456789abcdef0123456789abcdef";

/**
 * One record of each type and the bytes of its first version. Logs in the field hold these bytes: a test that fails
 * here asks for a new version of the record, not for new bytes.
 */
export const goldenRecords: readonly (readonly [MetadataRecord, string])[] = [
  [{ type: "feature-level-raised", level: 2 }, '["feature-level-raised",1,{"level":2}]'],
  [
    { type: "controller-elected", brokerId: 3, controllerEpoch: 7 },
    '["controller-elected",1,{"brokerId":3,"controllerEpoch":7}]',
  ],
  [
    {
      type: "broker-registered",
      brokerId: 3,
      storageId: "s",
      incarnationId: "i",
      zone: "a",
      peer: { host: "10.0.0.3", port: 7000 },
      listeners: { tls: { host: "b3", port: 9092 }, plain: { host: "localhost", port: 9093 } },
      featureLevelMax: 1,
      suspect: false,
    },
    '["broker-registered",1,{"brokerId":3,"storageId":"s","incarnationId":"i","zone":"a",' +
      '"peer":{"host":"10.0.0.3","port":7000},"listeners":{"plain":{"host":"localhost","port":9093},' +
      '"tls":{"host":"b3","port":9092}},"featureLevelMax":1,"suspect":false}]',
  ],
  [{ type: "broker-unregistered", brokerId: 3 }, '["broker-unregistered",1,{"brokerId":3}]'],
  [
    { type: "logical-cluster-upserted", lkc: "lkc-7k2m9", name: "shop", createdMs: 1_790_000_000_000 },
    '["logical-cluster-upserted",1,{"lkc":"lkc-7k2m9","name":"shop","createdMs":1790000000000}]',
  ],
  [{ type: "logical-cluster-deleted", lkc: "lkc-7k2m9" }, '["logical-cluster-deleted",1,{"lkc":"lkc-7k2m9"}]'],
  [
    { type: "api-key-upserted", keyId: "K", lkc: "lkc-7k2m9", principal: "User:a", verifier: "v", createdMs: 1 },
    '["api-key-upserted",1,{"keyId":"K","lkc":"lkc-7k2m9","principal":"User:a","verifier":"v","createdMs":1}]',
  ],
  [{ type: "api-key-deleted", keyId: "K" }, '["api-key-deleted",1,{"keyId":"K"}]'],
  [
    { type: "topic-upserted", topicId, lkc: "lkc-7k2m9", name: "orders", createdMs: 1, configs: { b: "2", a: "1" } },
    `["topic-upserted",1,{"topicId":"${topicId}","lkc":"lkc-7k2m9","name":"orders","createdMs":1,"configs":{"a":"1","b":"2"}}]`,
  ],
  [{ type: "topic-deleted", topicId }, `["topic-deleted",1,{"topicId":"${topicId}"}]`],
  [
    {
      type: "partitions-upserted",
      topicId,
      partitions: [
        {
          partition: 0,
          partitionEpoch: 9,
          voters: [1, 2, 3],
          outgoing: [4],
          learners: [5],
          lost: [2],
          leader: 1,
          leaderEpoch: 6,
          intendedEpoch: 7,
          logStartOffset: 100,
        },
      ],
    },
    `["partitions-upserted",1,{"topicId":"${topicId}","partitions":[[0,9,[1,2,3],[4],[5],[2],1,6,7,100]]}]`,
  ],
  [
    { type: "election-intended", topicId, partitions: [{ partition: 0, partitionEpoch: 10, intendedEpoch: 8 }] },
    `["election-intended",1,{"topicId":"${topicId}","partitions":[[0,10,8]]}]`,
  ],
  [{ type: "cell-config-replaced", configs: { b: "2" } }, '["cell-config-replaced",1,{"configs":{"b":"2"}}]'],
  [
    { type: "producer-ids-allocated", brokerId: 1, first: 1_000, count: 1_000 },
    '["producer-ids-allocated",1,{"brokerId":1,"first":1000,"count":1000}]',
  ],
];

/** Records with the fields that version 1 got before it was released. */
export const extendedGoldenRecords: readonly (readonly [MetadataRecord, string])[] = [
  [
    { type: "logical-cluster-upserted", lkc: "lkc-7k2m9", name: "shop", createdMs: 1, closedMs: 1_790_000_000_000 },
    '["logical-cluster-upserted",1,{"lkc":"lkc-7k2m9","name":"shop","createdMs":1,"closedMs":1790000000000}]',
  ],
  [
    {
      type: "api-key-upserted",
      keyId: "K",
      lkc: "lkc-7k2m9",
      principal: "User:a",
      verifier: "v",
      createdMs: 1,
      expiresMs: 2,
    },
    '["api-key-upserted",1,{"keyId":"K","lkc":"lkc-7k2m9","principal":"User:a","verifier":"v","createdMs":1,"expiresMs":2}]',
  ],
];
