import { describe, expect, test } from "vitest";
import { ImageState } from "../../../../../shared/metadata/image/image-state.ts";
import { violation } from "../../../../../shared/metadata/image/invariants.ts";
import { replay } from "../../../../../shared/metadata/image/replay.ts";
import type { MetadataRecord, PartitionState } from "../../../../../shared/metadata/records/record.ts";

const lkc = "lkc-first";
const topicId = "a".repeat(32);
const present: PartitionState = {
  partition: 0,
  partitionEpoch: 5,
  voters: [1, 2, 3],
  outgoing: [],
  learners: [],
  lost: [],
  leader: 1,
  leaderEpoch: 4,
  intendedEpoch: 4,
  logStartOffset: 10,
};
const endpoint = { host: "h", port: 1 };
const broker = {
  type: "broker-registered",
  brokerId: 4,
  storageId: "s",
  incarnationId: "i",
  zone: "a",
  peer: endpoint,
  listeners: {},
  featureLevelMax: 1,
  suspect: false,
} as const;

function image(): ImageState {
  const state = ImageState.empty("cell-1");
  replay(state, 1, [
    { type: "logical-cluster-upserted", lkc, name: "first", createdMs: 1 },
    { type: "topic-upserted", topicId, lkc, name: "orders", createdMs: 1, configs: {} },
    { type: "partitions-upserted", topicId, partitions: [present] },
    { type: "controller-elected", brokerId: 1, controllerEpoch: 3 },
    { type: "producer-ids-allocated", brokerId: 1, first: 0, count: 1_000 },
    broker,
    { type: "broker-unregistered", brokerId: 2 },
  ]);
  return state;
}

function changed(change: Partial<PartitionState>): MetadataRecord {
  return { type: "partitions-upserted", topicId, partitions: [{ ...present, partitionEpoch: 6, ...change }] };
}

function intended(change: { partitionEpoch?: number; intendedEpoch?: number; partition?: number }): MetadataRecord {
  return {
    type: "election-intended",
    topicId,
    partitions: [{ partition: 0, partitionEpoch: 6, intendedEpoch: 5, ...change }],
  };
}

describe("what may be written over an image", () => {
  const allowed: readonly (readonly [string, MetadataRecord])[] = [
    ["a partition epoch that rises", changed({})],
    ["a new leader in a new epoch", changed({ leader: 2, leaderEpoch: 5, intendedEpoch: 5 })],
    ["no leader in the same epoch", changed({ leader: -1 })],
    ["a joint change with learners", changed({ voters: [2, 3, 4], outgoing: [1, 2, 3], learners: [5] })],
    ["a lost voter", changed({ lost: [2] })],
    ["one more partition", changed({ partition: 1, partitionEpoch: 1, leaderEpoch: 1, intendedEpoch: 1 })],
    ["an intention", intended({})],
    ["the same intention by another controller", intended({ intendedEpoch: 4 })],
    ["the next controller", { type: "controller-elected", brokerId: 2, controllerEpoch: 4 }],
    ["another start of a broker", { ...broker, incarnationId: "j" }],
    ["a new broker", { ...broker, brokerId: 5, storageId: "t" }],
    ["the next producer ids", { type: "producer-ids-allocated", brokerId: 1, first: 1_000, count: 1_000 }],
    ["deleting what is not there", { type: "topic-deleted", topicId: "b".repeat(32) }],
  ];
  for (const [name, record] of allowed) {
    test(`allowed: ${name}`, () => {
      expect(violation(image(), record)).toBeUndefined();
    });
  }

  const refused: readonly (readonly [string, MetadataRecord])[] = [
    ["does not rise", changed({ partitionEpoch: 5 })],
    ["epoch goes back", changed({ leaderEpoch: 3, leader: 2 })],
    ["epoch goes back", changed({ intendedEpoch: 3, leaderEpoch: 3 })],
    ["second leader", changed({ leader: 2 })],
    ["log start goes back", changed({ logStartOffset: 9 })],
    ["no voters", changed({ voters: [] })],
    ["named twice", changed({ voters: [1, 1, 2] })],
    ["lost holds", changed({ lost: [4] })],
    ["learner is a voter", changed({ learners: [3] })],
    ["does not vote", changed({ leader: 9, leaderEpoch: 5, intendedEpoch: 5 })],
    ["behind the leader epoch", changed({ leader: 2, leaderEpoch: 5, intendedEpoch: 4 })],
    ["leave a hole", changed({ partition: 2 })],
    ["must raise", intended({ partitionEpoch: 5 })],
    ["must raise", intended({ intendedEpoch: 3 })],
    ["does not exist", intended({ partition: 1 })],
    ["does not follow 3", { type: "controller-elected", brokerId: 2, controllerEpoch: 6 }],
    ["does not follow 3", { type: "controller-elected", brokerId: 2, controllerEpoch: 3 }],
    ["bound to other data", { ...broker, storageId: "other" }],
    ["was used before", { ...broker, brokerId: 2 }],
    ["was given out before", { type: "producer-ids-allocated", brokerId: 1, first: 999, count: 1 }],
    ["already", { type: "feature-level-raised", level: 1 }],
    [
      "another topic named",
      { type: "topic-upserted", topicId: "b".repeat(32), lkc, name: "orders", createdMs: 1, configs: {} },
    ],
    ["does not exist", { type: "topic-upserted", topicId, lkc: "lkc-other", name: "x", createdMs: 1, configs: {} }],
    ["does not exist", { type: "partitions-upserted", topicId: "b".repeat(32), partitions: [present] }],
    [
      "does not exist",
      { type: "api-key-upserted", keyId: "K", lkc: "lkc-other", principal: "p", verifier: "v", createdMs: 1 },
    ],
  ];
  for (const [why, record] of refused) {
    test(`refused: ${record.type}, ${why}`, () => {
      expect(violation(image(), record)).toContain(why);
    });
  }
});
