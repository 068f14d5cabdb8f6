import { describe, expect, test } from "vitest";
import { decideCreateApiKey } from "../../../../../shared/metadata/commands/api-keys.ts";
import {
  decideEnsureInternalTopics,
  offsetsTopicName,
} from "../../../../../shared/metadata/commands/ensure-internal-topics.ts";
import { internalLogicalCluster } from "../../../../../shared/tenancy/logical-cluster-id.ts";
import { apply, cellImage, contextOf, lkc } from "./cell-image.ts";

const command = { kind: "ensure-internal-topics" } as const;

describe("the cell's internal topics", () => {
  test("are made once, compacted, replicated, and hidden from tenants", () => {
    const image = cellImage(6);
    const made = apply(image, decideEnsureInternalTopics(image, command, contextOf(image)));

    const again = decideEnsureInternalTopics(image, command, contextOf(image));

    expect(again).toEqual({ records: [], reply: made });
    const topic = image.topicsOf(internalLogicalCluster)?.get(offsetsTopicName);
    expect(made).toEqual({ kind: "done", offsetsTopicId: topic?.topicId });
    expect(topic?.configs["cleanup.policy"]).toBe("compact");
    expect(topic?.partitions).toHaveLength(64);
    expect(new Set(topic?.partitions.map(({ voters }) => voters.length))).toEqual(new Set([3]));
    const leaders = topic?.partitions.map(({ leader }) => leader);
    expect(new Set(leaders).size).toBe(6);
    expect(image.topicsOf(lkc)?.get(offsetsTopicName)).toBeUndefined();
  });

  test("follow the cell's configuration of them", () => {
    const image = cellImage(3);
    image.cellConfigs = { "offsets.topic.num.partitions": "5", "offsets.topic.replication.factor": "1" };
    apply(image, decideEnsureInternalTopics(image, command, contextOf(image)));
    const topic = image.topicsOf(internalLogicalCluster)?.get(offsetsTopicName);
    expect(topic?.partitions.map(({ voters }) => voters.length)).toEqual([1, 1, 1, 1, 1]);
  });

  test("are not made with fewer replicas than asked for: the cell may be about to have its brokers", () => {
    const image = cellImage(2);
    const { records, reply } = decideEnsureInternalTopics(image, command, contextOf(image));
    expect(records).toEqual([]);
    expect(reply).toMatchObject({ kind: "failed", error: "INVALID_REPLICATION_FACTOR" });
  });

  test("belong to nobody: no key is made for them", () => {
    const image = cellImage(3);
    apply(image, decideEnsureInternalTopics(image, command, contextOf(image)));
    const key = { kind: "create-api-key", keyId: "K", principal: "User:x", verifier: "v" } as const;
    const { records, reply } = decideCreateApiKey(image, { ...key, lkc: internalLogicalCluster }, contextOf(image));
    expect(records).toEqual([]);
    expect(reply).toMatchObject({ kind: "failed", error: "RESOURCE_NOT_FOUND" });
  });
});
