import { beforeEach, describe, expect, test } from "vitest";
import { metadataHandler } from "../../../../broker/handlers/metadata.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa", "lkc-bbbbb");
  client = new InMemoryClient(broker, "lkc-aaaaa");
});

const ask = (version: number, topics: readonly { name?: string | null; topicId?: string }[] | null, allow = false) =>
  client.call(metadataHandler, version, {
    topics:
      topics === null ? null : topics.map(({ name = null, topicId }) => ({ name, ...(topicId ? { topicId } : {}) })),
    ...(version >= 4 ? { allowAutoTopicCreation: allow } : {}),
  });
const brief = ({ topics }: Awaited<ReturnType<typeof ask>>) => topics.map((topic) => [topic.name, topic.errorCode]);

describe("which topics", () => {
  beforeEach(() => {
    broker.topic("lkc-aaaaa", "one");
    broker.topic("lkc-aaaaa", "two");
    broker.topic("lkc-bbbbb", "theirs");
  });

  test("v0: an empty list means all; later it means none, and null means all", async () => {
    const all = [
      ["one", 0],
      ["two", 0],
    ];
    expect(brief(await ask(0, []))).toEqual(all);
    expect(brief(await ask(1, []))).toEqual([]);
    expect(brief(await ask(12, null))).toEqual(all);
  });

  test("by name: unknown, not a name, somebody else's", async () => {
    const answers = await ask(9, [{ name: "one" }, { name: "absent" }, { name: "no/name" }, { name: "theirs" }]);
    expect(brief(answers)).toEqual([
      ["one", 0],
      ["absent", errorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ["no/name", errorCode.INVALID_TOPIC_EXCEPTION],
      ["theirs", errorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  test("each once, however often it is named", async () => {
    const often = Array.from({ length: 1_000 }, () => [{ name: "one" }, { name: "absent" }]).flat();
    expect(brief(await ask(9, often))).toEqual([
      ["one", 0],
      ["absent", errorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    const mine = broker.topic("lkc-aaaaa", "three");
    expect(brief(await ask(12, [{ topicId: mine.wireId }, { topicId: mine.wireId }]))).toEqual([["three", 0]]);
  });

  test("by id (v12): somebody else's is unknown", async () => {
    const mine = broker.topic("lkc-aaaaa", "three");
    const theirs = broker.topic("lkc-bbbbb", "more");
    const answers = await ask(12, [{ topicId: mine.wireId }, { topicId: theirs.wireId }, {}]);
    expect(brief(answers)).toEqual([
      ["three", 0],
      [null, errorCode.UNKNOWN_TOPIC_ID],
      [null, errorCode.INVALID_REQUEST],
    ]);
  });
});

describe("partitions", () => {
  test("leader, epoch, replicas, in-sync and offline ones", async () => {
    broker.topic("lkc-aaaaa", "t");
    broker.dead.add(3);
    const { topics, brokers, controllerId, clusterId } = await ask(12, null);
    expect(topics[0]?.partitions).toEqual([
      {
        errorCode: 0,
        partitionIndex: 0,
        leaderId: 1,
        leaderEpoch: 1,
        replicaNodes: [1, 2, 3],
        isrNodes: [1, 2, 3],
        offlineReplicas: [3],
      },
    ]);
    expect(brokers.map(({ nodeId, rack }) => [nodeId, rack])).toEqual([
      [1, "zone-1"],
      [2, "zone-2"],
    ]);
    expect([controllerId, clusterId]).toEqual([2, "lkc-aaaaa"]);
  });

  test("a leader that cannot be reached is none", async () => {
    const topic = broker.topic("lkc-aaaaa", "t");
    broker.moveLeader(topic.topicId, 0, 3);
    broker.dead.add(3);
    const { topics } = await ask(12, null);
    expect(topics[0]?.partitions[0]).toMatchObject({
      errorCode: errorCode.LEADER_NOT_AVAILABLE,
      leaderId: -1,
      isrNodes: [1, 2],
    });
  });

  test("a dead controller is not named: any broker hands requests on", async () => {
    broker.dead.add(2);
    expect((await ask(12, null)).controllerId).toBe(1);
  });
});

describe("creating what is missing", () => {
  test("when the client allows it", async () => {
    expect(brief(await ask(9, [{ name: "fresh" }], false))).toEqual([["fresh", errorCode.UNKNOWN_TOPIC_OR_PARTITION]]);
    const { topics } = await ask(9, [{ name: "fresh" }, { name: "fresh" }], true);
    expect(topics.map(({ name, errorCode: code, partitions }) => [name, code, partitions.length])).toEqual([
      ["fresh", 0, 1],
    ]);
    expect(broker.submitted.length).toBe(1);
  });

  test("and the cell", async () => {
    broker.apply({ type: "cell-config-replaced", configs: { "auto.create.topics.enable": "false" } });
    expect(brief(await ask(1, [{ name: "fresh" }]))).toEqual([["fresh", errorCode.UNKNOWN_TOPIC_OR_PARTITION]]);
  });

  test("a name that cannot be is never tried", async () => {
    await ask(9, [{ name: "no/name" }], true);
    expect(broker.submitted).toEqual([]);
  });

  test("while the controller is away clients are told to ask again", async () => {
    broker.submitFailure = "no-controller";
    expect(brief(await ask(9, [{ name: "fresh" }], true))).toEqual([["fresh", errorCode.LEADER_NOT_AVAILABLE]]);
  });

  test("why it was refused is told", async () => {
    broker.apply({ type: "cell-config-replaced", configs: { "default.replication.factor": "9" } });
    expect(brief(await ask(9, [{ name: "fresh" }], true))).toEqual([["fresh", errorCode.INVALID_REPLICATION_FACTOR]]);
  });
});

test("a stranger sees nothing", async () => {
  broker.topic("lkc-aaaaa", "t");
  const stranger = new InMemoryClient(broker, undefined);
  const { topics, brokers, clusterId } = await stranger.call(metadataHandler, 12, { topics: null });
  expect([topics, brokers, clusterId]).toEqual([[], [], ""]);
});
