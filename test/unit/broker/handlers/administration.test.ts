import { beforeEach, describe, expect, test } from "vitest";
import { alterConfigsHandler } from "../../../../broker/handlers/alter-configs.ts";
import { createPartitionsHandler } from "../../../../broker/handlers/create-partitions.ts";
import { createTopicsHandler } from "../../../../broker/handlers/create-topics.ts";
import { deleteRecordsHandler } from "../../../../broker/handlers/delete-records.ts";
import { deleteTopicsHandler } from "../../../../broker/handlers/delete-topics.ts";
import { describeConfigsHandler } from "../../../../broker/handlers/describe-configs.ts";
import { incrementalAlterConfigsHandler } from "../../../../broker/handlers/incremental-alter-configs.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  client = new InMemoryClient(broker, "lkc-aaaaa");
});

const codes = (answers: readonly { readonly errorCode: number }[]) => answers.map((answer) => answer.errorCode);
const newTopic = { numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] };

describe("CreateTopics", () => {
  test("creates what can be, and says of each what became of it", async () => {
    const { topics } = await client.call(createTopicsHandler, 7, {
      topics: [
        { ...newTopic, name: "plain", configs: [{ name: "retention.ms", value: "1000" }] },
        { ...newTopic, name: "default", numPartitions: -1, replicationFactor: -1 },
        { ...newTopic, name: "null-config", configs: [{ name: "retention.ms", value: null }] },
        { ...newTopic, name: "no such config", configs: [] },
        {
          ...newTopic,
          name: "placed",
          assignments: [{ partitionIndex: 0, brokerIds: [2, 3] }],
          numPartitions: -1,
          replicationFactor: -1,
        },
        {
          ...newTopic,
          name: "gap",
          assignments: [{ partitionIndex: 1, brokerIds: [2] }],
          numPartitions: -1,
          replicationFactor: -1,
        },
      ],
      timeoutMs: 10_000,
    });
    expect(codes(topics)).toEqual([
      0,
      0,
      errorCode.INVALID_CONFIG,
      errorCode.INVALID_TOPIC_EXCEPTION,
      0,
      errorCode.INVALID_REPLICA_ASSIGNMENT,
    ]);
    expect(topics[0]).toMatchObject({ numPartitions: 1, replicationFactor: 3 });
    expect(topics[0]?.configs?.find(({ name }) => name === "retention.ms")).toMatchObject({
      value: "1000",
      configSource: 1,
    });
    const placed = broker.image().topicsOf("lkc-aaaaa")?.get("placed");
    expect(placed?.partitions[0]?.voters).toEqual([2, 3]);
  });

  test("only tells when it shall only validate", async () => {
    const { topics } = await client.call(createTopicsHandler, 4, {
      topics: [{ ...newTopic, name: "t" }],
      timeoutMs: 1,
      validateOnly: true,
    });
    expect(codes(topics)).toEqual([0]);
    expect(client.tenant.topic("t")).toBeUndefined();
  });

  test("a controller that is away, or whose answer did not come, is REQUEST_TIMED_OUT", async () => {
    for (const failure of ["no-controller", "unknown"] as const) {
      broker.submitFailure = failure;
      const { topics } = await client.call(createTopicsHandler, 5, { topics: [{ ...newTopic, name: "t" }] });
      expect(codes(topics)).toEqual([errorCode.REQUEST_TIMED_OUT]);
    }
  });

  test("two tenants may use the same name", async () => {
    const other = new InMemoryClient(broker, "lkc-bbbbb");
    for (const each of [client, other]) {
      const { topics } = await each.call(createTopicsHandler, 5, { topics: [{ ...newTopic, name: "same" }] });
      expect(codes(topics)).toEqual([0]);
    }
    const again = await client.call(createTopicsHandler, 5, { topics: [{ ...newTopic, name: "same" }] });
    expect(codes(again.topics)).toEqual([errorCode.TOPIC_ALREADY_EXISTS]);
  });
});

describe("DeleteTopics", () => {
  test("by name", async () => {
    broker.topic("lkc-aaaaa", "mine");
    broker.topic("lkc-bbbbb", "theirs");
    const request = { topicNames: ["mine", "theirs", "absent"], timeoutMs: 1_000 };
    const { responses } = await client.call(deleteTopicsHandler, 5, request);
    const unknown = errorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(codes(responses)).toEqual([0, unknown, unknown]);
    expect(client.tenant.topic("mine")).toBeUndefined();
  });

  test("by id (v6), which must be the tenant's own; a name and an id together are too much", async () => {
    const mine = broker.topic("lkc-aaaaa", "mine");
    const theirs = broker.topic("lkc-bbbbb", "theirs");
    const { responses } = await client.call(deleteTopicsHandler, 6, {
      topics: [
        { name: "mine", topicId: mine.wireId },
        { name: null, topicId: theirs.wireId },
        { name: null, topicId: mine.wireId },
        { name: null },
      ],
      timeoutMs: 1_000,
    });
    expect(codes(responses)).toEqual([
      errorCode.INVALID_REQUEST,
      errorCode.UNKNOWN_TOPIC_ID,
      0,
      errorCode.INVALID_REQUEST,
    ]);
    expect(responses.map(({ name }) => name)).toEqual(["mine", null, "mine", null]);
    expect(broker.image().topics.has(theirs.topicId)).toBe(true);
  });
});

test("CreatePartitions raises counts", async () => {
  broker.topic("lkc-aaaaa", "t", 2);
  const { results } = await client.call(createPartitionsHandler, 3, {
    topics: [
      { name: "t", count: 5, assignments: null },
      { name: "absent", count: 5, assignments: null },
    ],
    timeoutMs: 1_000,
    validateOnly: false,
  });
  expect(codes(results)).toEqual([0, errorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  expect(client.tenant.topic("t")?.partitions.length).toBe(5);
});

describe("DeleteRecords", () => {
  const deletion = (partitions: readonly { partitionIndex: number; offset: number }[], timeoutMs = 1_000) =>
    client.call(deleteRecordsHandler, 2, { topics: [{ name: "t", partitions }], timeoutMs });

  test("raises the log start, or says why not", async () => {
    const topic = broker.topic("lkc-aaaaa", "t", 3);
    topic.hosted[0]!.add("a", "b");
    topic.hosted[1]!.leading = false;
    const { topics } = await deletion([
      { partitionIndex: 0, offset: -1 },
      { partitionIndex: 1, offset: 0 },
      { partitionIndex: 2, offset: -2 },
      { partitionIndex: 9, offset: 0 },
    ]);
    expect(codes(topics[0]?.partitions ?? [])).toEqual([
      0,
      errorCode.NOT_LEADER_OR_FOLLOWER,
      errorCode.OFFSET_OUT_OF_RANGE,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect(topics[0]?.partitions[0]?.lowWatermark).toBe(2);
  });

  test("does not wait for a quorum longer than asked", async () => {
    const topic = broker.topic("lkc-aaaaa", "t", 2);
    topic.hosted[0]!.commitsAtOnce = false;
    const answer = deletion([
      { partitionIndex: 0, offset: 0 },
      { partitionIndex: 1, offset: 0 },
    ]);
    await broker.time.settle();
    await broker.time.advance(1_000);
    expect(codes((await answer).topics[0]?.partitions ?? [])).toEqual([errorCode.REQUEST_TIMED_OUT, 0]);
    expect(broker.time.pending).toBe(0);
  });
});

describe("configurations", () => {
  const topicType = 2;
  const brokerType = 4;

  test("are described: a topic's, the cell's, and nobody else's", async () => {
    broker.topic("lkc-aaaaa", "t");
    broker.topic("lkc-bbbbb", "theirs");
    const { results } = await client.call(describeConfigsHandler, 4, {
      resources: [
        { resourceType: topicType, resourceName: "t", configurationKeys: ["retention.ms", "absent"] },
        { resourceType: topicType, resourceName: "theirs", configurationKeys: null },
        { resourceType: brokerType, resourceName: "1", configurationKeys: ["num.partitions"] },
        { resourceType: brokerType, resourceName: "77", configurationKeys: null },
        { resourceType: 16, resourceName: "x", configurationKeys: null },
        { resourceType: topicType, resourceName: "no name", configurationKeys: null },
      ],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    expect(codes(results)).toEqual([
      0,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      0,
      errorCode.INVALID_REQUEST,
      errorCode.INVALID_REQUEST,
      errorCode.INVALID_TOPIC_EXCEPTION,
    ]);
    expect(results[0]?.configs).toMatchObject([
      { name: "retention.ms", configSource: 5, configType: 5, isSensitive: false },
    ]);
    expect(results[0]?.configs[0]?.synonyms.length).toBeGreaterThan(0);
    expect(results[2]?.configs).toMatchObject([{ name: "num.partitions", value: "1", configType: 3 }]);
  });

  test("are described once, however often they are named", async () => {
    broker.topic("lkc-aaaaa", "t");
    const topic = { resourceType: topicType, resourceName: "t", configurationKeys: null };
    const resources = [topic, { ...topic, resourceType: brokerType, resourceName: "1" }, topic];
    const { results } = await client.call(describeConfigsHandler, 4, { resources });
    expect(codes(results)).toEqual([0, 0, errorCode.INVALID_REQUEST]);
    expect(results[2]?.configs).toEqual([]);
  });

  test("the cluster-wide defaults are those that were changed", async () => {
    broker.apply({ type: "cell-config-replaced", configs: { "num.partitions": "6" } });
    const { results } = await client.call(describeConfigsHandler, 2, {
      resources: [{ resourceType: brokerType, resourceName: "", configurationKeys: null }],
    });
    expect(results[0]?.configs).toMatchObject([{ name: "num.partitions", value: "6", configSource: 3 }]);
  });

  test("are changed one by one, or all together", async () => {
    broker.topic("lkc-aaaaa", "t");
    const { responses } = await client.call(incrementalAlterConfigsHandler, 1, {
      resources: [
        {
          resourceType: topicType,
          resourceName: "t",
          configs: [
            { name: "retention.ms", configOperation: 0, value: "5000" },
            { name: "segment.bytes", configOperation: 0, value: "2000000" },
          ],
        },
        { resourceType: brokerType, resourceName: "1", configs: [] },
        { resourceType: topicType, resourceName: "absent", configs: [] },
        { resourceType: topicType, resourceName: "t", configs: [{ name: "x", configOperation: 9, value: "" }] },
        { resourceType: topicType, resourceName: "t", configs: [{ name: "x", configOperation: 0, value: null }] },
      ],
      validateOnly: false,
    });
    expect(codes(responses)).toEqual([
      0,
      errorCode.CLUSTER_AUTHORIZATION_FAILED,
      errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorCode.INVALID_REQUEST,
      errorCode.INVALID_REQUEST,
    ]);
    expect(client.tenant.topic("t")?.configs).toEqual({ "retention.ms": "5000", "segment.bytes": "2000000" });
    const replaced = await client.call(alterConfigsHandler, 2, {
      resources: [
        { resourceType: topicType, resourceName: "t", configs: [{ name: "retention.ms", value: "7000" }] },
        { resourceType: brokerType, resourceName: "", configs: [] },
      ],
      validateOnly: false,
    });
    expect(codes(replaced.responses)).toEqual([0, errorCode.CLUSTER_AUTHORIZATION_FAILED]);
    expect(client.tenant.topic("t")?.configs).toEqual({ "retention.ms": "7000" });
  });
});
