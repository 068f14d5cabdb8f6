import { beforeEach, describe, expect, test } from "vitest";
import { describeClusterHandler } from "../../../../broker/handlers/describe-cluster.ts";
import { describeLogDirsHandler } from "../../../../broker/handlers/describe-log-dirs.ts";
import { describeTopicPartitionsHandler } from "../../../../broker/handlers/describe-topic-partitions.ts";
import { electLeadersHandler } from "../../../../broker/handlers/elect-leaders.ts";
import { initProducerIdHandler } from "../../../../broker/handlers/init-producer-id.ts";
import { listPartitionReassignmentsHandler } from "../../../../broker/handlers/list-partition-reassignments.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  client = new InMemoryClient(broker, "lkc-aaaaa");
});

describe("DescribeCluster", () => {
  const ask = (endpointType = 1, includeFencedBrokers = false) =>
    client.call(describeClusterHandler, 2, {
      includeClusterAuthorizedOperations: true,
      endpointType,
      includeFencedBrokers,
    });

  test("shows the brokers that are alive, and the others when asked", async () => {
    broker.dead.add(3);
    const alive = await ask();
    expect(alive).toMatchObject({ errorCode: 0, clusterId: "lkc-aaaaa", controllerId: 2 });
    expect(alive.brokers.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    expect(alive.clusterAuthorizedOperations).toBeGreaterThan(0);
    const all = await ask(1, true);
    expect(all.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });

  test("there are no controllers to connect to", async () => {
    const controllers = await ask(2);
    expect(controllers.errorCode).toBe(errorCode.MISMATCHED_ENDPOINT_TYPE);
    expect(controllers.errorMessage).toContain("no controllers");
    expect((await ask(3)).errorCode).toBe(errorCode.UNSUPPORTED_ENDPOINT_TYPE);
  });
});

describe("DescribeTopicPartitions", () => {
  const ask = (
    names: readonly string[],
    limit = 2_000,
    cursor: { topicName: string; partitionIndex: number } | null = null,
  ) =>
    client.call(describeTopicPartitionsHandler, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: limit,
      cursor,
    });
  const brief = ({ topics }: Awaited<ReturnType<typeof ask>>) =>
    topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex }) => partitionIndex)]);

  beforeEach(() => {
    broker.topic("lkc-aaaaa", "b", 3);
    broker.topic("lkc-aaaaa", "a", 2);
    broker.topic("lkc-bbbbb", "theirs", 9);
  });

  test("pages through all topics in order of name", async () => {
    const pages = [];
    let cursor: { topicName: string; partitionIndex: number } | null = null;
    do {
      const page: Awaited<ReturnType<typeof ask>> = await ask([], 2, cursor);
      pages.push(brief(page));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(pages).toEqual([[["a", [0, 1]]], [["b", [0, 1]]], [["b", [2]]]]);
  });

  test("by name: once each, unknown ones with their error", async () => {
    const { topics, nextCursor } = await ask(["b", "theirs", "a", "b"]);
    expect(topics.map(({ name, errorCode: code }) => [name, code])).toEqual([
      ["a", 0],
      ["b", 0],
      ["theirs", errorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    expect(nextCursor).toBeNull();
  });

  test("nonsense in the cursor or the limit does no harm", async () => {
    expect(brief(await ask([], -5))).toEqual([["a", [0]]]);
    expect(brief(await ask([], 100, { topicName: "b", partitionIndex: -3 }))).toEqual([["b", [0, 1, 2]]]);
    expect(brief(await ask([], 100, { topicName: "b", partitionIndex: 99 }))).toEqual([["b", []]]);
    expect(brief(await ask([], 100, { topicName: "z", partitionIndex: 0 }))).toEqual([]);
  });
});

test("DescribeLogDirs shows the tenant's own bytes on this broker", async () => {
  const topic = broker.topic("lkc-aaaaa", "t", 2);
  topic.hosted[1]!.add("x".repeat(500));
  broker.topic("lkc-bbbbb", "theirs").hosted[0]!.add("y".repeat(9_000));
  const all = await client.call(describeLogDirsHandler, 4, { topics: null });
  expect(all.results.length).toBe(1);
  const sizes = all.results[0]?.topics.map(({ name, partitions }) => [
    name,
    partitions.map(({ partitionSize }) => partitionSize),
  ]);
  expect(sizes).toEqual([["t", [0, topic.hosted[1]!.sizeBytes]]]);
  const some = await client.call(describeLogDirsHandler, 1, {
    topics: [
      { topic: "t", partitions: [0, 7] },
      { topic: "theirs", partitions: [0] },
    ],
  });
  expect(some.results[0]?.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([["t", 1]]);
});

test("ElectLeaders is never needed", async () => {
  broker.topic("lkc-aaaaa", "t");
  const topicPartitions = [{ topic: "t", partitions: [0, 1] }];
  const { replicaElectionResults } = await client.call(electLeadersHandler, 2, { topicPartitions, timeoutMs: 1 });
  expect(replicaElectionResults[0]?.partitionResult.map((result) => result.errorCode)).toEqual([
    errorCode.ELECTION_NOT_NEEDED,
    errorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ]);
  const all = await client.call(electLeadersHandler, 2, { topicPartitions: null, timeoutMs: 1 });
  expect(all.replicaElectionResults).toEqual([]);
});

test("ListPartitionReassignments is empty", async () => {
  expect(await client.call(listPartitionReassignmentsHandler, 0, {})).toMatchObject({ errorCode: 0, topics: [] });
});

describe("InitProducerId", () => {
  const ask = (
    transactionalId: string | null = null,
    former: { readonly producerId?: number; readonly producerEpoch?: number } = {},
  ) => client.call(initProducerIdHandler, 4, { transactionalId, transactionTimeoutMs: 1_000, ...former });

  test("gives an id and epoch 0", async () => {
    expect(await ask()).toMatchObject({ errorCode: 0, producerId: 4_000, producerEpoch: 0 });
  });

  test("half of a former identity, or an empty transactional id, is no request", async () => {
    const answers = [await ask(null, { producerId: 5 }), await ask(null, { producerEpoch: 5 }), await ask("")];
    for (const answer of answers) expect(answer).toMatchObject({ errorCode: errorCode.INVALID_REQUEST });
    expect(await ask(null, { producerId: 5, producerEpoch: 0 })).toMatchObject({ errorCode: 0, producerId: 4_000 });
  });

  test("when there is none in time, clients try again", async () => {
    broker.nextProducerId = undefined;
    expect(await ask()).toMatchObject({ errorCode: errorCode.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1 });
  });

  test("transactions are not served yet", async () => {
    expect(await ask("tx")).toMatchObject({ errorCode: errorCode.COORDINATOR_NOT_AVAILABLE });
  });
});
