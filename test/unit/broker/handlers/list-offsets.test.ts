import { beforeEach, expect, test } from "vitest";
import { leaderReadinessPollMs, leaderReadinessWaitMs } from "../../../../broker/handlers/limits.ts";
import { listOffsetsHandler } from "../../../../broker/handlers/list-offsets.ts";
import { offsetForLeaderEpochHandler } from "../../../../broker/handlers/offset-for-leader-epoch.ts";
import { errorCode } from "../../../../shared/kafka/error-codes.ts";
import { encodeBatch } from "../../../../shared/kafka/records/record.ts";
import { type HostedTopic, InMemoryBroker, InMemoryClient } from "./in-memory-broker.ts";

let broker: InMemoryBroker;
let client: InMemoryClient;
let topic: HostedTopic;

beforeEach(() => {
  broker = new InMemoryBroker("lkc-aaaaa");
  client = new InMemoryClient(broker, "lkc-aaaaa");
  topic = broker.topic("lkc-aaaaa", "t", 2);
  for (const timestampMs of [100, 200, 300]) {
    topic.hosted[0]!.append(encodeBatch({ records: [{ timestampMs }] }), { requiredAcks: 1 });
  }
  topic.hosted[0]!.logStart = 1;
});

interface Asked {
  readonly timestamp: number;
  readonly partitionIndex?: number;
  readonly currentLeaderEpoch?: number;
}

async function ask(version: number, asked: readonly Asked[], name = "t") {
  const { topics } = await client.call(listOffsetsHandler, version, {
    replicaId: -1,
    topics: [{ name, partitions: asked.map((one) => ({ partitionIndex: 0, ...one })) }],
  });
  return topics[0]?.partitions ?? [];
}

const offsetOf = async (version: number, timestamp: number) => {
  const [answer] = await ask(version, [{ timestamp }]);
  return answer?.errorCode === 0 ? answer.offset : answer?.errorCode;
};

test("the questions, each from its version on", async () => {
  const { UNSUPPORTED_VERSION } = errorCode;
  const table: readonly [number, number, number][] = [
    [1, -1, 3],
    [1, -2, 1],
    [6, -3, UNSUPPORTED_VERSION],
    [7, -3, 2],
    [7, -4, UNSUPPORTED_VERSION],
    [8, -4, 1],
    [8, -5, UNSUPPORTED_VERSION],
    [9, -5, -1],
    [10, -6, UNSUPPORTED_VERSION],
    [11, -6, -1],
    [11, -7, UNSUPPORTED_VERSION],
  ];
  for (const [version, timestamp, expected] of table) {
    expect(await offsetOf(version, timestamp), `v${version} ${timestamp}`).toBe(expected);
  }
});

test("by time: the first record that is not older, with its own time and epoch; none when all are", async () => {
  expect(await ask(4, [{ timestamp: 150 }])).toMatchObject([{ offset: 1, timestamp: 200, leaderEpoch: 1 }]);
  expect(await ask(4, [{ timestamp: 301 }])).toMatchObject([
    { errorCode: 0, offset: -1, timestamp: -1, leaderEpoch: -1 },
  ]);
});

test("the latest carries the leader's epoch", async () => {
  expect(await ask(4, [{ timestamp: -1 }])).toMatchObject([{ offset: 3, timestamp: -1, leaderEpoch: 1 }]);
});

test("errors", async () => {
  topic.hosted[1]!.leading = false;
  const answers = await ask(4, [
    { timestamp: -1, partitionIndex: 1 },
    { timestamp: -1, partitionIndex: 5 },
    { timestamp: -1, currentLeaderEpoch: 9 },
    { timestamp: -1 },
  ]);
  expect(answers.map((answer) => answer.errorCode)).toEqual([
    errorCode.NOT_LEADER_OR_FOLLOWER,
    errorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorCode.UNKNOWN_LEADER_EPOCH,
    errorCode.INVALID_REQUEST,
  ]);
  expect((await ask(4, [{ timestamp: -1 }], "absent"))[0]?.errorCode).toBe(errorCode.UNKNOWN_TOPIC_OR_PARTITION);
});

test("a leader that may not serve yet is named as the version knows it", async () => {
  topic.hosted[0]!.offsets = () => ({ kind: "failed", error: "OFFSET_NOT_AVAILABLE" });
  const answers = [offsetOf(4, -1), offsetOf(5, -1)];
  for (let waited = 0; waited <= leaderReadinessWaitMs; waited += leaderReadinessPollMs)
    await broker.timers.advance(leaderReadinessPollMs);
  expect(await Promise.all(answers)).toEqual([errorCode.LEADER_NOT_AVAILABLE, errorCode.OFFSET_NOT_AVAILABLE]);
});

test("a leader that took office a moment ago is waited for", async () => {
  const hosted = topic.hosted[0]!;
  const offsets = hosted.offsets.bind(hosted);
  const expected = await offsetOf(7, -1);
  topic.hosted[0]!.offsets = () => ({ kind: "failed", error: "OFFSET_NOT_AVAILABLE" });
  const answer = offsetOf(7, -1);
  topic.hosted[0]!.offsets = offsets;
  await broker.timers.advance(leaderReadinessPollMs);
  expect(await answer).toBe(expected);
});

test("a leadership that is about to begin is waited for", async () => {
  const expected = await offsetOf(7, -1);
  const hosted = topic.hosted[0]!;
  hosted.appoint(broker.time.monotonicMs());
  const answer = offsetOf(7, -1);
  await broker.time.settle();
  hosted.settleAppointment(true);
  expect(await answer).toBe(expected);
});

test("many look-ups by time are all answered, in order", async () => {
  const many = broker.topic("lkc-aaaaa", "many", 100);
  for (const hosted of many.hosted) hosted.append(encodeBatch({ records: [{ timestampMs: 5 }] }), { requiredAcks: 1 });
  const asked = many.hosted.map((_, partitionIndex) => ({ timestamp: 1, partitionIndex }));
  const answers = await ask(7, asked, "many");
  expect(answers.map(({ partitionIndex, offset }) => [partitionIndex, offset])).toEqual(
    asked.map(({ partitionIndex }) => [partitionIndex, 0]),
  );
});

test("OffsetForLeaderEpoch: where an epoch ends, and what is not known", async () => {
  const askEpoch = async (leaderEpoch: number, currentLeaderEpoch = -1, partition = 0) => {
    const { topics } = await client.call(offsetForLeaderEpochHandler, 4, {
      topics: [{ topic: "t", partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
    });
    return topics[0]?.partitions[0];
  };
  expect(await askEpoch(1)).toEqual({ errorCode: 0, partition: 0, leaderEpoch: 1, endOffset: 3 });
  expect(await askEpoch(2)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 });
  expect(await askEpoch(1, 0)).toMatchObject({ errorCode: errorCode.FENCED_LEADER_EPOCH, endOffset: -1 });
  expect(await askEpoch(1, -1, 7)).toMatchObject({ errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION });
});
